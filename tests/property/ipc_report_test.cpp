// Every report and every set-up reads back with the same fields, and no other octets pass for one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ipc/report_fields.hpp"
#include "ipc/setup_fields.hpp"
#include "property/ipc_draws.hpp"

namespace wyndrvr::ipc {
namespace report_test {

using namespace engine;

// --- the fields of each type; a field that is added does not compile until it is named here ---
auto fields(const Connecting& v) {
  const auto& [a, b, c, d, e] = v;
  return std::tie(a, b, c, d, e);
}
auto fields(const Assigned& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const PortAnswers& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const Refused& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const LatencySample& v) {
  const auto& [a, b, c, d] = v;
  return std::tie(a, b, c, d);
}
auto fields(const TestBegun& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const TestProgress& v) {
  const auto& [a, b, c, d, e] = v;
  return std::tie(a, b, c, d, e);
}
auto fields(const TestResultArrived& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const ClientConnected& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const ServerLatencySample& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const ClientGone& v) {
  const auto& [a, b, c, d] = v;
  return std::tie(a, b, c, d);
}
auto fields(const ServerTestResult& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const LimitReached& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const PortsStarted& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const PortLost& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const SessionLost& v) {
  const auto& [a, b] = v;
  return std::tie(a, b);
}
auto fields(const TraceLine& v) {
  const auto& [a, b, c, d] = v;
  return std::tie(a, b, c, d);
}
auto fields(const ServerBusy& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const ServerUnreachable& v) {
  const auto& [a, b] = v;
  return std::tie(a, b);
}
auto fields(const NothingReceived& v) {
  const auto& [a, b, c, d] = v;
  return std::tie(a, b, c, d);
}
auto fields(const crypto::Handshake& v) {
  const auto& [a, b, c] = v;
  return std::tie(a, b, c);
}
auto fields(const crypto::DirectionKey& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const crypto::SessionKeys& v) {
  const auto& [a, b] = v;
  return std::tie(a, b);
}
auto fields(const PathSetup& v) {
  const auto& [a, b, c, d] = v;
  return std::tie(a, b, c, d);
}
auto fields(const ProtocolConfig& v) {
  const auto& [a, b, c, d, e, f] = v;
  return std::tie(a, b, c, d, e, f);
}
auto fields(const ServerLimits& v) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = v;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
}
auto fields(const SessionSetup& v) {
  const auto& [a, b, c, d, e, f, g, h] = v;
  return std::tie(a, b, c, d, e, f, g, h);
}
auto fields(const PortConfig& v) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = v;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
}
auto fields(const SessionOver& v) {
  const auto& [a] = v;
  return std::tie(a);
}
auto fields(const TellEnded& v) {
  const auto& [a, b] = v;
  return std::tie(a, b);
}
auto fields(const TestUnderWay& v) {
  const auto& [a] = v;
  return std::tie(a);
}

bool same(const crypto::Secret<32>& a, const crypto::Secret<32>& b) {
  return std::ranges::equal(a.view(), b.view());
}
using Clients = std::shared_ptr<const ClientFilter>;
bool same(const Clients& a, const Clients& b) {
  return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
}
template <class T>
bool same(const std::optional<T>& a, const std::optional<T>& b);
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_empty_v<T>) {
    return true;
  } else if constexpr (requires { a == b; }) {
    return a == b;
  } else {
    return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      return (same(std::get<Index>(fields(a)), std::get<Index>(fields(b))) && ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(fields(a))>>{});
  }
}
template <class T>
bool same(const std::optional<T>& a, const std::optional<T>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}
bool same(const Report& a, const Report& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& one) { return same(one, std::get<std::decay_t<decltype(one)>>(b)); }, a);
}

// --- any value of each type ---
void draw(std::uint64_t& v) {
  v = draw_count();
}
void draw(std::uint32_t& v) {
  v = *rc::gen::arbitrary<std::uint32_t>();
}
void draw(bool& v) {
  v = draw_bool();
}
void draw(Duration& v) {
  v = draw_duration();
}
void draw(Instant& v) {
  v = draw_instant();
}
void draw(Port& v) {
  v = {*rc::gen::arbitrary<std::uint16_t>()};
}
void draw(ChannelId& v) {
  v = draw_channel();
}
void draw(std::string& v) {
  v = *rc::gen::arbitrary<std::string>();
  v.resize(std::min(v.size(), kMaxTextSize));
}
void draw(SenderTotals& v) {
  v = draw_sender();
}
void draw(ReceiverTotals& v) {
  v = draw_receiver();
}
void draw(IpAddress& v) {
  v = {};
  v.family = draw_enum(IpAddress::Family::kV6);
  for (std::size_t i = 0; i < (v.is_v6() ? 16U : 4U); ++i) {
    v.octets[i] = *rc::gen::arbitrary<std::uint8_t>();
  }
  if (v.is_v6()) draw(v.scope);
}
void draw(Endpoint& v) {
  draw(v.address);
  draw(v.port);
}
void draw(Side& v) {
  v = draw_enum(Side::kServer);
}
void draw(PortKind& v) {
  v = draw_enum(PortKind::kDownload);
}
void draw(SessionEnd& v) {
  v = draw_enum(SessionEnd::kTimeOver);
}
void draw(Unreachable& v) {
  v = draw_enum(kLastUnreachable);
}
void draw(TraceKind& v) {
  v = draw_enum(kLastTraceKind);
}
void draw(std::uint8_t& v) {
  v = *rc::gen::arbitrary<std::uint8_t>();
}
void draw(std::byte& v) {
  v = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
}
void draw(crypto::Secret<32>& v) {
  for (std::byte& octet : v.writable()) draw(octet);
}
void draw(BitRate& v) {
  v = {static_cast<double>(draw_count())};
}
void draw(ByteCount& v) {
  v = {draw_count()};
}
void draw(TestTerms& v) {
  v.directions = draw_enum(wire::Directions::kBoth);
  v.duration = draw_duration();
  if (draw_bool()) draw(v.rate.emplace());
  v.adaptive = draw_bool();
  draw(v.payload_bytes);
  draw(v.streams);
  v.reliable = draw_bool();
  if (draw_bool()) draw(v.octets.emplace());
  v.single_port = draw_bool();
  v.data_tags = draw_bool();
  v.fragment = draw_bool();
  draw(v.traffic_class);
}
void draw(Clients& v) {
  v.reset();
  if (!draw_bool()) return;
  ClientFilter filter;
  for (auto* networks : {&filter.allow, &filter.deny}) {
    networks->resize(*rc::gen::inRange<std::size_t>(0, 3));
    for (IpNetwork& network : *networks) {
      draw(network.address);
      draw(network.prefix);
    }
  }
  v = std::make_shared<const ClientFilter>(std::move(filter));
}
void draw(SessionId& v) {
  draw(v.value);
}
template <class T>
  requires requires(const T& v) { fields(v); }
void draw(T& v);
template <class T>
void draw(std::optional<T>& v) {
  v.reset();
  if (draw_bool()) draw(v.emplace());
}
template <class T, std::size_t Size>
void draw(std::array<T, Size>& values) {
  for (T& value : values) draw(value);
}
template <class T>
  requires std::is_empty_v<T>
void draw(T& /*v*/) {}
template <class T>
  requires requires(const T& v) { fields(v); }
void draw(T& v) {
  // Both ways through `fields`, so that no field can be forgotten.
  std::apply(
      [](const auto&... field) {
        (draw(const_cast<std::remove_cvref_t<decltype(field)>&>(field)), ...);
      },
      fields(v));
}

std::vector<std::byte> octets_of(const auto& value) {
  std::vector<std::byte> octets;
  write_frame(value, octets);
  return octets;
}

// What must hold for a value of any type.
template <class T>
void check(const T& value) {
  std::vector<std::byte> octets = octets_of(value);
  RC_ASSERT(octets.size() <= kMaxFrameSize);
  const auto again = read_frame<T>(octets);
  RC_ASSERT(again.has_value());
  RC_ASSERT(same(value, *again));
  for (std::size_t size = 0; size < octets.size(); ++size) {
    // On the heap and of exactly that size, so that a sanitizer sees a read past the end.
    const std::vector<std::byte> shorter(octets.begin(),
                                         octets.begin() + static_cast<std::ptrdiff_t>(size));
    RC_ASSERT(!read_frame<T>(shorter).has_value());
  }
  octets.push_back(static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>()));
  RC_ASSERT(!read_frame<T>(octets).has_value());
}

template <class T>
void check_any() {
  T value{};
  draw(value);
  check(value);
}

Report draw_report(std::size_t kind) {
  Report report;
  RC_ASSERT(emplace_by_index(report, kind));
  std::visit([](auto& one) { draw(one); }, report);
  return report;
}

RC_GTEST_PROP(ReportFieldsProperty, EveryReportReadsBackTheSameAndNothingElseDoes, ()) {
  for (std::size_t kind = 0; kind < std::variant_size_v<Report>; ++kind) check(draw_report(kind));
}

RC_GTEST_PROP(ReportFieldsProperty, WhateverIsReadWritesBackToTheSameOctets, ()) {
  for (std::size_t kind = 0; kind < std::variant_size_v<Report>; ++kind) {
    std::vector<std::byte> octets = octets_of(draw_report(kind));
    for (int change = 0; change < 4; ++change) {
      const auto at = *rc::gen::inRange<std::size_t>(0, octets.size());
      octets[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    }
    const auto report = read_frame<Report>(octets);
    if (report) RC_ASSERT(octets_of(*report) == octets);
  }
}

RC_GTEST_PROP(SetupFieldsProperty, EverySetUpReadsBackTheSameAndNothingElseDoes, ()) {
  check_any<PortConfig>();
  check_any<SessionSetup>();
  check_any<ProtocolConfig>();
  check_any<ServerLimits>();
  check_any<Endpoint>();
}

RC_GTEST_PROP(SetupFieldsProperty, WhatASessionAsksOfItsHostReadsBackTheSame, ()) {
  check_any<SessionOver>();
  check_any<TellEnded>();
  check_any<TestUnderWay>();
}

RC_GTEST_PROP(SetupFieldsProperty, RandomOctetsDoNoHarm, (const std::vector<std::uint8_t>& in)) {
  std::vector<std::byte> octets;
  for (const std::uint8_t one : in) octets.push_back(static_cast<std::byte>(one));
  (void)read_frame<PortConfig>(octets);
  (void)read_frame<SessionSetup>(octets);
  (void)read_frame<Report>(octets);
  (void)read_frame<std::vector<Endpoint>>(octets);
}

}  // namespace report_test
}  // namespace wyndrvr::ipc
