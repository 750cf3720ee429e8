#include "support/behaviour.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::support {
namespace {

// Long enough for a reader that is awake to see two packets, not one.
constexpr milliseconds kPacketGap{1};

std::string hexadecimal(std::size_t value) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  return {text.data(), end};
}

std::string with_line_end(std::string text, const std::string& end) {
  if (end.empty()) return text;
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += end;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

Behaviour& Behaviour::status(int code, std::string reason) {
  status_ = code;
  reason_ = std::move(reason);
  return *this;
}

Behaviour& Behaviour::header(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Behaviour& Behaviour::add_piece(std::string text) {
  pieces_.push_back({std::move(text), std::exchange(end_gate_, nullptr)});
  return *this;
}

Behaviour& Behaviour::json(std::string text) { return body("application/json", std::move(text)); }

Behaviour& Behaviour::body(std::string content_type, std::string bytes) {
  content_type_ = std::move(content_type);
  return add_piece(std::move(bytes));
}

Behaviour& Behaviour::stream(const std::vector<std::string>& payloads) {
  std::vector<std::string> texts;
  for (const auto& payload : payloads) texts.push_back("data: " + payload + "\n\n");
  return sse(texts);
}

Behaviour& Behaviour::sse(const std::vector<std::string>& texts) {
  if (content_type_.empty()) content_type_ = "text/event-stream";
  if (framing_ == Framing::kLength && !announced_) framing_ = Framing::kChunked;
  for (const auto& text : texts) add_piece(text);
  return *this;
}

Behaviour& Behaviour::raw(std::string bytes) {
  raw_ = std::move(bytes);
  return *this;
}

Behaviour& Behaviour::line_end(std::string_view end) {
  line_end_ = end;
  return *this;
}

Behaviour& Behaviour::interim(std::string head) {
  interim_ += head;
  return *this;
}

Behaviour& Behaviour::close_delimited() {
  framing_ = Framing::kUntilClose;
  if (!end_) end_ = Step::Kind::kFin;
  return *this;
}

Behaviour& Behaviour::announce_length(std::size_t bytes) {
  framing_ = Framing::kLength;
  announced_ = bytes;
  return *this;
}

Behaviour& Behaviour::delay(milliseconds time) {
  delay_ = time;
  return *this;
}

Behaviour& Behaviour::event_gap(milliseconds time) {
  gap_ = time;
  return *this;
}

Behaviour& Behaviour::split_at(std::size_t byte) {
  splits_.push_back(byte);
  return *this;
}

Behaviour& Behaviour::byte_by_byte() {
  byte_by_byte_ = true;
  return *this;
}

Behaviour& Behaviour::one_packet() {
  one_packet_ = true;
  return *this;
}

Behaviour& Behaviour::hold_head_until(std::shared_ptr<Gate> gate) {
  head_gate_ = std::move(gate);
  return *this;
}

Behaviour& Behaviour::then_wait_for(std::shared_ptr<Gate> gate) {
  end_gate_ = std::move(gate);
  return *this;
}

Behaviour& Behaviour::then_reset_at(std::size_t body_byte) {
  cut_ = body_byte;
  return end_with(Step::Kind::kReset);
}

Behaviour& Behaviour::then_fin_at(std::size_t body_byte) {
  cut_ = body_byte;
  return end_with(Step::Kind::kFin);
}

Behaviour& Behaviour::end_with(Step::Kind kind) {
  end_ = kind;
  last_chunk_ = false;
  return *this;
}

Behaviour& Behaviour::without_last_chunk() { return end_with(Step::Kind::kFin); }

Behaviour& Behaviour::close_after_answer() {
  end_ = Step::Kind::kFin;
  return *this;
}

Behaviour& Behaviour::stray(std::string bytes) {
  stray_ = std::move(bytes);
  return *this;
}

Behaviour& Behaviour::repeat_forever(std::string piece) {
  repeat_ = std::move(piece);
  if (content_type_.empty()) content_type_ = "text/event-stream";
  if (framing_ == Framing::kLength) framing_ = Framing::kChunked;
  return *this;
}

Behaviour& Behaviour::hang() {
  answers_ = false;
  return end_with(Step::Kind::kHold);
}

Behaviour& Behaviour::close_before_answer() {
  answers_ = false;
  return end_with(Step::Kind::kFin);
}

Behaviour& Behaviour::reset_before_answer() {
  answers_ = false;
  return end_with(Step::Kind::kReset);
}

void Behaviour::add_head(std::vector<Step>& steps) const {
  std::string head = "HTTP/1.1 " + std::to_string(status_) + " " + reason_ + "\r\n";
  if (!content_type_.empty()) head += "content-type: " + content_type_ + "\r\n";
  for (const auto& [name, value] : headers_) head += name + ": " + value + "\r\n";
  if (framing_ == Framing::kChunked) head += "transfer-encoding: chunked\r\n";
  if (framing_ == Framing::kLength) {
    std::size_t size = 0;
    for (const auto& piece : pieces_) size += piece.text.size();
    head += "content-length: " + std::to_string(announced_.value_or(size)) + "\r\n";
  }
  steps.push_back({Step::Kind::kSend, head + "\r\n"});
}

std::string Behaviour::framed(const std::string& piece) const {
  if (framing_ != Framing::kChunked || piece.empty()) return piece;
  return hexadecimal(piece.size()) + "\r\n" + piece + "\r\n";
}

void Behaviour::add_body(std::vector<Step>& steps) const {
  std::size_t left = cut_.value_or(std::string::npos);
  for (const Piece& piece : pieces_) {
    if (piece.gate) steps.push_back({Step::Kind::kGate, {}, {}, piece.gate});
    std::string text = with_line_end(piece.text, line_end_);
    const bool cut = text.size() > left;
    if (cut) text.resize(left);
    left -= text.size();
    if (!text.empty()) steps.push_back({Step::Kind::kSend, framed(text)});
    if (cut) return;
    if (gap_ > 0ms) steps.push_back({Step::Kind::kPause, {}, gap_});
  }
  if (end_gate_) steps.push_back({Step::Kind::kGate, {}, {}, end_gate_});
  if (!repeat_.empty()) {
    steps.push_back({Step::Kind::kRepeat, framed(repeat_)});
  } else if (framing_ == Framing::kChunked && last_chunk_) {
    steps.push_back({Step::Kind::kSend, "0\r\n\r\n"});
  }
}

void Behaviour::add_end(std::vector<Step>& steps) const {
  if (!stray_.empty()) steps.push_back({Step::Kind::kSend, stray_});
  if (end_) steps.push_back({*end_});
}

std::vector<Step> Behaviour::steps() const {
  std::vector<Step> steps;
  if (delay_ > 0ms) steps.push_back({Step::Kind::kPause, {}, delay_});
  if (head_gate_) steps.push_back({Step::Kind::kGate, {}, {}, head_gate_});
  if (!interim_.empty()) steps.push_back({Step::Kind::kSend, interim_});
  if (raw_) {
    steps.push_back({Step::Kind::kSend, cut_ ? raw_->substr(0, *cut_) : *raw_});
  } else if (answers_) {
    add_head(steps);
    add_body(steps);
  }
  add_end(steps);
  return in_packets(steps);
}

// Cuts what is sent where packets shall end, with a pause at each cut.
std::vector<Step> Behaviour::in_packets(const std::vector<Step>& steps) const {
  std::vector<Step> joined;
  for (const Step& step : steps) {
    const bool goes_on = one_packet_ && step.kind == Step::Kind::kSend && !joined.empty();
    if (goes_on && joined.back().kind == Step::Kind::kSend) {
      joined.back().bytes += step.bytes;
    } else {
      joined.push_back(step);
    }
  }
  std::vector<Step> result;
  std::size_t sent = 0;
  for (const Step& step : joined) {
    if (step.kind != Step::Kind::kSend) {
      result.push_back(step);
      continue;
    }
    add_packets(step.bytes, sent, result);
    sent += step.bytes.size();
  }
  return result;
}

void Behaviour::add_packets(std::string_view bytes, std::size_t offset, std::vector<Step>& steps) const {
  std::size_t from = 0;
  for (std::size_t i = 1; i <= bytes.size(); ++i) {
    const bool cut = byte_by_byte_ || std::ranges::find(splits_, offset + i) != splits_.end();
    if (!cut && i < bytes.size()) continue;
    steps.push_back({Step::Kind::kSend, std::string(bytes.substr(from, i - from))});
    if (cut) steps.push_back({Step::Kind::kPause, {}, kPacketGap});
    from = i;
  }
}

}  // namespace sluice::support
