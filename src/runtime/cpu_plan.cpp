#include "runtime/cpu_plan.hpp"

namespace wyndrvr::runtime {
namespace {

constexpr std::size_t kDataPorts = 2;

// The place of a port's loop in the list: those that carry data before the one that does not.
std::size_t place_of(engine::PortKind kind) {
  switch (kind) {
    case engine::PortKind::kUpload:
      return 0;
    case engine::PortKind::kDownload:
      return 1;
    case engine::PortKind::kControl:
      break;
  }
  return kDataPorts;
}

}  // namespace

std::vector<unsigned> CpuPlan::of_port(engine::PortKind kind) const {
  const std::size_t place = place_of(kind);
  if (!chosen.empty()) return {chosen[(kDataPorts * session + place) % chosen.size()]};
  std::vector<unsigned> half;
  if (allowed.size() < kEnough || place >= kDataPorts) return half;
  for (std::size_t i = place; i < allowed.size(); i += kDataPorts) half.push_back(allowed[i]);
  return half;
}

std::vector<unsigned> CpuPlan::of_session() const {
  if (chosen.empty()) return {};
  return {chosen[session % chosen.size()]};
}

std::vector<unsigned> CpuPlan::of_coordinator() const {
  if (chosen.empty()) return {};
  return {chosen.back()};
}

CpuPlan CpuPlan::for_session(std::uint32_t number) const {
  CpuPlan plan = *this;
  plan.session = number;
  return plan;
}

}  // namespace wyndrvr::runtime
