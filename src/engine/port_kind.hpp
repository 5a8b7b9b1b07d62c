// The three ports of a session, and who can be written to by message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wyndrvr::engine {

enum class Side : std::uint8_t { kClient, kServer };

enum class PortKind : std::uint8_t { kControl, kUpload, kDownload };

inline constexpr std::size_t kPortCount = 3;
inline constexpr std::array<PortKind, kPortCount> kPortKinds = {
    PortKind::kControl, PortKind::kUpload, PortKind::kDownload};

[[nodiscard]] constexpr std::size_t index_of(PortKind port) {
  return static_cast<std::size_t>(port);
}

// "control", as in the result document.
[[nodiscard]] constexpr std::string_view name(PortKind port) {
  constexpr std::array<std::string_view, kPortCount> kNames = {"control", "upload", "download"};
  return kNames[index_of(port)];
}
// "CONTROL", as in the latency lines.
[[nodiscard]] constexpr std::string_view label(PortKind port) {
  constexpr std::array<std::string_view, kPortCount> kLabels = {"CONTROL", "UPLOAD", "DOWNLOAD"};
  return kLabels[index_of(port)];
}

// A mailbox of one session: its coordinator's or one of its ports'. The values of the ports are
// those of PortKind.
enum class Mailbox : std::uint8_t { kControl, kUpload, kDownload, kCoordinator };

[[nodiscard]] constexpr Mailbox mailbox_of(PortKind port) {
  return static_cast<Mailbox>(port);
}

}  // namespace wyndrvr::engine
