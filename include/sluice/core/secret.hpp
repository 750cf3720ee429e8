#pragma once
// Bytes that are a key, or hold one. Nothing prints, formats or converts them; comparing takes as long for different
// bytes as for equal ones; their memory is wiped before it is given back.

#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Zeros that no optimiser leaves out.
void wipe(void* bytes, std::size_t count) noexcept;

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);  // which is wiped

  bool empty() const { return bytes_.empty(); }
  void reserve(std::size_t count) { bytes_.reserve(count); }
  Secret& append(std::string_view text);
  Secret& append(const Secret& other) { return append(other.reveal()); }

  // The one way out, for whoever writes to the provider's connection or keeps secrets out of other people's text.
  std::string_view reveal() const { return {bytes_.data(), bytes_.size()}; }
  // Equal for equal secrets, in every process of this build, and hardly ever for others. Never shown to anybody.
  std::size_t fingerprint() const;
  // The length is no secret.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  template <class T>
  struct Allocator {
    using value_type = T;
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T))); }
    void deallocate(T* bytes, std::size_t count) noexcept {
      wipe(bytes, count * sizeof(T));
      ::operator delete(bytes);
    }
    bool operator==(const Allocator&) const = default;
  };
  // A vector has no bytes inside itself that moving would leave behind.
  std::vector<char, Allocator<char>> bytes_;
};

}  // namespace sluice
