// The commands that make clients' keys (F18, F50): a key is shown once, and what is kept of it lets it in.

#include <fcntl.h>

#include <fstream>
#include <regex>

#include "integration/fixture.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace sluice::integration {
namespace {

struct Ran {
  int code = -1;
  std::string output;
};

class KeyCommand : public ::testing::Test {
 protected:
  // With `input` as standard input.
  Ran run(const std::string& arguments, const std::string& input = "") {
    folder_.write("input", input);
    const std::string command = support::sluice_binary() + " key " + arguments + " < " + folder_.path("input");
    support::Process process({"/bin/sh", "-c", command}, {});
    const auto code = process.wait_exit(30s);
    return {code.value_or(-1), process.output()};
  }
  static std::string key_in(const std::string& output) {
    std::smatch found;
    return std::regex_search(output, found, std::regex("sk-sluice-[0-9A-Za-z]{12}-[0-9A-Za-z]{43}")) ? found.str() : "";
  }
  static std::string after(const std::string& output, const std::string& title) {
    const auto at = output.find(title);
    return at == output.npos ? "" : output.substr(output.find('\n', at) + 1);
  }
  // What `check` says of a gateway with these keys.
  CheckResult check(const std::string& keys) {
    return check_config(support::sluice_binary(),
                        "providers: {house: {dialect: static, answer: hi}}\nmodels: {m: house/x}\n" + keys);
  }

  support::TempDir folder_;
};

TEST_F(KeyCommand, ANewKeyIsShownOnceAboveItsRow) {
  const Ran made = run("new --name search-web --group acme/search");
  ASSERT_EQ(made.code, 0) << made.output;
  const std::string key = key_in(made.output);
  ASSERT_NE(key, "") << made.output;
  EXPECT_EQ(made.output.find(key), made.output.rfind(key)) << "once";
  const std::string row = after(made.output, "# For the list below `keys`:");
  EXPECT_TRUE(
      row.starts_with("- name: \"search-web\"\n  group: \"acme/search\"\n  hash: sluice1:" + key.substr(10, 12)))
      << row;
  const CheckResult checked = check("keys:\n" + row);
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_NE(checked.output.find("1 key"), std::string::npos) << checked.output;
}

TEST_F(KeyCommand, NoTwoKeysAreEqual) {
  const Ran first = run("new --name a");
  const Ran second = run("new --name a");
  EXPECT_NE(key_in(first.output), key_in(second.output));
  EXPECT_NE(key_in(first.output).substr(0, 22), key_in(second.output).substr(0, 22)) << "nor their ids";
}

TEST_F(KeyCommand, ALineOfJsonIsForTheFileOfKeys) {
  const Ran made = run("new --name a --json");
  ASSERT_EQ(made.code, 0) << made.output;
  const std::string line = after(made.output, "# For the file that keys.file names:");
  EXPECT_TRUE(line.starts_with(R"({"name":"a","hash":"sluice1:)")) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  folder_.write("keys.jsonl", line);
  const CheckResult checked = check("keys: {file: \"" + folder_.path("keys.jsonl") + "\"}\n");
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
}

TEST_F(KeyCommand, AKeyThatExistsComesFromStandardInputAndIsNotRepeated) {
  const std::string key = key_in(run("new --name a").output);
  for (const std::string end : {"", "\n", "\r\n"}) {
    const Ran hashed = run("hash --name b --group g", key + end);
    EXPECT_EQ(hashed.code, 0) << hashed.output;
    EXPECT_EQ(hashed.output.find(key), std::string::npos);
    EXPECT_TRUE(hashed.output.starts_with("- name: \"b\"\n  group: \"g\"\n  hash: sluice1:" + key.substr(10, 12)))
        << hashed.output;
    EXPECT_EQ(check("keys:\n" + hashed.output).exit_code, 0);
  }
  const Ran line = run("hash --name b --json", key);
  EXPECT_TRUE(line.output.starts_with(R"({"name":"b","hash":"sluice1:)")) << line.output;
}

TEST_F(KeyCommand, WhatIsNoKeyIsRefusedAndNotRepeated) {
  const std::string good = "sk-sluice-Abcdefgh0123-" + std::string(43, 'x');
  for (const std::string& input : {std::string(), std::string("sk-proj-canary"), good.substr(1), good + "x",
                                   good.substr(0, 65), std::string(4096, 'x')}) {
    const Ran refused = run("hash --name a", input);
    EXPECT_EQ(refused.code, 2) << refused.output;
    EXPECT_NE(refused.output.find("standard input holds no key"), std::string::npos) << refused.output;
    EXPECT_TRUE(input.empty() || refused.output.find(input) == std::string::npos) << refused.output;
  }
}

TEST_F(KeyCommand, NamesAreCheckedBeforeAnythingIsMade) {
  for (const std::string arguments : {"new", "new --name 'a b'", "new --name a --group /x", "hash --name ''", "",
                                      "new --name a extra", "hash --name a sk-sluice-x"}) {
    const Ran refused = run(arguments);
    EXPECT_EQ(refused.code, 2) << arguments << "\n" << refused.output;
    EXPECT_EQ(key_in(refused.output), "") << arguments;
  }
}

TEST_F(KeyCommand, AnOutputThatTakesNothingIsAFailure) { EXPECT_EQ(run("new --name a > /dev/full").code, 1); }

}  // namespace
}  // namespace sluice::integration
