// Files that are no good to begin with: each is refused with a sentence that says what to do, and stays as it was.

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "unit/budget/store_fixture.hpp"

namespace sluice::budget {
namespace {

namespace fs = std::filesystem;

// What another program does to the file.
class OtherProgram {
 public:
  explicit OtherProgram(const std::string& path) { EXPECT_EQ(sqlite3_open(path.c_str(), &native_), SQLITE_OK); }
  ~OtherProgram() { sqlite3_close(native_); }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;
  void run(const char* sql) { EXPECT_EQ(sqlite3_exec(native_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql; }

 private:
  sqlite3* native_ = nullptr;
};

// Nobody in particular, for as long as it lives; does nothing unless we are root, whom no mode keeps out.
class AsNobody {
 public:
  AsNobody() { is_nobody_ = ::geteuid() != 0 || ::seteuid(65'534) == 0; }
  ~AsNobody() {
    if (::getuid() == 0) EXPECT_EQ(::seteuid(0), 0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  bool is_nobody() const { return is_nobody_; }

 private:
  bool is_nobody_ = false;
};

class SpendFile : public StoreTest {
 protected:
  void SetUp() override {
    begin(options());
    for (int i = 0; i < 2000; ++i) store_->add(spend("key-" + std::to_string(i), i));
    for (int i = 0; i < 200; ++i) change(budget("budget-" + std::to_string(i), i));
    finish();
  }
  std::string content() const { return folder_.read("sluice.db"); }
  void overwrite(std::size_t at, std::string_view bytes) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
  }
  // Refused, with both parts in the sentence, and left alone.
  void expect_refused(const std::string& what, const std::string& advice) {
    const std::string before = content();
    const std::string error = open_error();
    EXPECT_TRUE(error.starts_with(fs::canonical(folder_.path()).string() + "/sluice.db: ")) << error;
    EXPECT_NE(error.find(what), error.npos) << error;
    EXPECT_NE(error.find(advice), error.npos) << error;
    EXPECT_EQ(error.find('\n'), error.npos) << error;
    EXPECT_TRUE(content() == before) << "it was changed";
  }
};

TEST_F(SpendFile, AGoodOneIsOpenedAgainAndAgain) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open_error(), "");
}

TEST_F(SpendFile, SomethingThatIsNoDatabaseIsNotOverwritten) {
  folder_.write("sluice.db", "dear diary,\n" + std::string(5000, 'x'));
  expect_refused("it is damaged", "put a backup in its place");
}

TEST_F(SpendFile, ADatabaseOfSomethingElseIsNotTouched) {
  fs::remove(path());
  OtherProgram(path()).run("CREATE TABLE recipes (name TEXT)");
  expect_refused("a database of something else", "give state.path another name");
}

TEST_F(SpendFile, ANewerVersionIsNotTouched) {
  OtherProgram(path()).run("PRAGMA user_version = 7");
  expect_refused("its tables are of version 7, this one knows 1", "start that one");
}

TEST_F(SpendFile, DamageInTheMiddleIsFound) {
  const std::size_t pages = content().size() / 4096;
  ASSERT_GT(pages, 20U);
  for (const std::size_t page : {2 * pages / 3, pages / 2, std::size_t{1}}) {
    const std::string good = content().substr(page * 4096, 4096);
    overwrite(page * 4096, std::string(4096, '\x5a'));
    expect_refused("it is damaged", "put a backup in its place, or move it");
    overwrite(page * 4096, good);
  }
  EXPECT_EQ(open_error(), "") << "nothing else was wrong";
}

TEST_F(SpendFile, AFileThatWasCutShortIsFound) {
  fs::resize_file(path(), fs::file_size(path()) / 2);
  expect_refused("it is damaged", "put a backup in its place");
}

TEST_F(SpendFile, AnEmptyFileIsNotTakenForNewBooks) {
  fs::resize_file(path(), 0);
  expect_refused("it is empty, which books never are", "put a backup in its place, or remove it to begin");
}

TEST_F(SpendFile, BooksThatWereNeverFinishedAreMadeAnew) {
  fs::remove(path());
  folder_.write("sluice.db.new", "half of a");
  folder_.write("sluice.db.new-wal", "half of a log");
  EXPECT_EQ(open_error(), "");
  EXPECT_FALSE(fs::exists(path("sluice.db.new")));
}

TEST_F(SpendFile, ALogWithoutItsFileIsNotThrownAway) {
  folder_.write("alone.db-wal", "what was written last");
  const auto opened = SpendStore::open(path("alone.db"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("is missing, but "), std::string::npos) << opened.error();
  EXPECT_NE(opened.error().find("alone.db-wal holds what was written to it last; put the file back"),
            std::string::npos);
  EXPECT_EQ(folder_.read("alone.db-wal"), "what was written last");
}

TEST_F(SpendFile, ASecondGatewayIsKeptOut) {
  open(options());
  expect_refused("another gateway keeps its books there", "give each its own state.path");
  fs::create_symlink("sluice.db", path("link.db"));
  const auto by_link = SpendStore::open(path("link.db"));
  ASSERT_FALSE(by_link.has_value()) << "under another name too";
  EXPECT_NE(by_link.error().find("another gateway keeps its books there"), std::string::npos);
  store_.reset();
  EXPECT_EQ(open_error(), "");
}

TEST_F(SpendFile, ATransactionOfAnotherProgramIsNotWaitedForForever) {
  OtherProgram other(path());
  other.run("BEGIN IMMEDIATE");
  expect_refused("another process has it locked", "end whatever has it open and start again");
  other.run("ROLLBACK");
  EXPECT_EQ(open_error(), "");
}

TEST_F(SpendFile, AFileThatMayNotBeWrittenIsNoPlaceForBooks) {
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0777), 0);
  ASSERT_EQ(::chmod(path().c_str(), 0444), 0);
  fs::remove(path("sluice.db.lock"));
  const AsNobody nobody;
  if (!nobody.is_nobody()) GTEST_SKIP() << "root cannot be left here";
  expect_refused("it cannot be written", "make the file and its folder writable for this user");
}

TEST_F(SpendFile, AFolderThatMayNotBeWrittenIsNoPlaceForBooks) {
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0555), 0);
  ASSERT_EQ(::chmod(path().c_str(), 0666), 0);
  ASSERT_EQ(::chmod(path("sluice.db.lock").c_str(), 0666), 0);
  const AsNobody nobody;
  if (!nobody.is_nobody()) GTEST_SKIP() << "root cannot be left here";
  expect_refused("", "make the file and its folder writable for this user");
}

TEST_F(SpendFile, AFileSystemThatIsReadOnlyIsNoPlaceForBooks) {
  const std::string at = path("disk");
  fs::create_directory(at);
  if (::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_TRUE(SpendStore::open(at + "/sluice.db"));
  EXPECT_EQ(::mount("tmpfs", at.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=1m"), 0);
  const auto opened = SpendStore::open(at + "/sluice.db");
  ::umount2(at.c_str(), MNT_DETACH);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("it cannot be written: Read-only file system; make"), std::string::npos)
      << opened.error();
}

TEST_F(SpendFile, ALinkIsFollowedEvenIfItLeadsToNoFileYet) {
  fs::create_directory(path("books"));
  fs::create_symlink("books/new.db", path("link.db"));
  ASSERT_TRUE(SpendStore::open(path("link.db")));
  EXPECT_TRUE(fs::is_symlink(path("link.db")));
  EXPECT_TRUE(fs::is_regular_file(path("books/new.db")));
}

TEST_F(SpendFile, AFolderIsNoFile) {
  fs::create_directory(path("folder"));
  const auto opened = SpendStore::open(path("folder"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("it is a folder"), std::string::npos) << opened.error();
}

TEST_F(SpendFile, OthersMayNotReadIt) {
  struct stat facts{};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0007, 0U);
}

}  // namespace
}  // namespace sluice::budget
