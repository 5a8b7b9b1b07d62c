// What writing and reading the header of a data packet costs, in both dialects.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "wire/data_body.hpp"
#include "wire/header.hpp"
#include "wire/path_data.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::micro {
namespace {

constexpr ChannelId kStream{1};
constexpr std::size_t kOriginalFilling = 900;
constexpr std::size_t kPathDataSize = 1400;

std::vector<std::byte> original_packet() {
  std::vector<std::byte> packet(wire::data_packet_size(kOriginalFilling));
  wire::write_header(packet.data(),
                     {.type = wire::MessageType::kBandwidthTest, .channel = kStream, .seq = {7}});
  wire::write_data_body(MutableByteView(packet).subspan(wire::kHeaderSize), kOriginalFilling);
  return packet;
}

std::vector<std::byte> path_packet() {
  std::vector<std::byte> packet(kPathDataSize);
  wire::write_data_template(packet, wire::PathNonce{1234});
  wire::set_data_header(packet.data(), kStream, SeqNo{7}, 0);
  wire::set_data_time(packet.data(), 1);
  return packet;
}

void original_write_data(benchmark::State& state) {
  std::vector<std::byte> packet = original_packet();
  std::uint64_t number = 0;
  for (auto _ : state) {
    wire::set_header_numbers(packet.data(), SeqNo{++number}, 0);
    benchmark::DoNotOptimize(packet.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(original_write_data);

void original_parse_data(benchmark::State& state) {
  const std::vector<std::byte> packet = original_packet();
  for (auto _ : state) {
    auto parsed = wire::parse_packet(packet);
    if (!parsed) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(original_parse_data);

void path_write_data(benchmark::State& state) {
  std::vector<std::byte> packet = path_packet();
  std::uint64_t number = 0;
  for (auto _ : state) {
    wire::set_data_header(packet.data(), kStream, SeqNo{++number}, 0);
    wire::set_data_time(packet.data(), number);
    benchmark::DoNotOptimize(packet.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(path_write_data);

void path_parse_data(benchmark::State& state) {
  const std::vector<std::byte> packet = path_packet();
  for (auto _ : state) {
    auto parsed = wire::parse_path_packet(packet);
    if (!parsed) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(path_parse_data);

}  // namespace
}  // namespace wyndrvr::micro
