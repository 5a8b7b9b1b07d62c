// Descriptors, clocks and processes of the floor probe: thin wrappers of system calls.
//
// A probe has nobody to tell of an error but its user: whatever fails ends the process with one
// line on stderr and status 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <netinet/in.h>

namespace wyndrvr::floor {

// Largest UDP payload over IPv4.
inline constexpr std::size_t kMostTrainBytes = 65'507;
// Of one UDP_SEGMENT send, since Linux 6.9 (UDP_MAX_SEGMENTS; 64 before).
inline constexpr std::size_t kMostSegments = 128;

// Prints `what` and errno's meaning, and ends the process.
[[noreturn]] void fail(const std::string& what);
// Ends the process where `result`, of a system call, is negative; else returns it.
int require(int result, const char* what);

sockaddr_in address_of(const std::string& ip, std::uint16_t port);
// A bound IPv4 UDP socket with a 32 MB receive buffer (by force, where that is allowed).
int open_socket(const sockaddr_in& bound);
std::uint16_t port_of(int socket);
void set_option(int socket, int level, int name, int value, const char* what);

// Moves the calling process into a named network namespace; an empty name stays.
void enter_netns(const std::string& name);

std::int64_t monotonic_ns();
void sleep_us(std::int64_t microseconds);
// User and system time of this process so far.
double cpu_seconds();

// Touches every octet: a send of pages that were never written to reads the one page of zeros.
void fill(std::span<std::byte> memory);

}  // namespace wyndrvr::floor
