// LossDetector against the rule, written down number by number.
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "seq/loss_detector.hpp"

namespace wyndrvr::seq {
namespace loss_detector_test {

constexpr std::uint64_t kUniverse = 48;
using Numbers = std::bitset<kUniverse>;

struct Report {
  Numbers missing;
  std::optional<std::uint64_t> tail;  // everything from here on is missing as well

  [[nodiscard]] bool misses(std::uint64_t number) const {
    return missing[number] || (tail && number >= *tail);
  }
  [[nodiscard]] std::vector<Range> ranges() const {
    std::vector<Range> result;
    for (std::uint64_t number = 0; number < kUniverse; ++number) {
      if (missing[number]) result.push_back({number, number + 1});
    }
    if (tail) result.push_back({*tail, kEnd});
    return result;
  }
  // A tail that missing numbers precede without a hole begins at the first of them.
  [[nodiscard]] std::uint64_t horizon() const {
    if (tail) {
      std::uint64_t begin = *tail;
      while (begin > 0 && missing[begin - 1]) --begin;
      return begin;
    }
    std::uint64_t end = kUniverse;
    while (end > 0 && !missing[end - 1]) --end;
    return end;
  }
};

class Model {
 public:
  explicit Model(std::size_t buffer_length) : buffer_length_(buffer_length) {}

  Numbers on_report(const Report& report) {
    reports_.push_back(report);
    const std::size_t now = reports_.size();
    Numbers lost;
    if (now < buffer_length_) return lost;
    const Report& oldest = reports_[now - buffer_length_];
    for (std::uint64_t number = 0; number < report.horizon(); ++number) {
      if (!oldest.misses(number) || !report.misses(number)) continue;
      const auto declared = declared_at_.find(number);
      if (declared != declared_at_.end() && now - declared->second < buffer_length_) continue;
      declared_at_[number] = now;
      lost.set(number);
    }
    return lost;
  }

 private:
  std::size_t buffer_length_;
  std::vector<Report> reports_;
  std::map<std::uint64_t, std::size_t> declared_at_;
};

// Mostly missing numbers, so that reports overlap and numbers are declared again and again.
Report arbitrary_report() {
  Report report;
  const auto top = *rc::gen::inRange<std::uint64_t>(0, kUniverse);
  for (std::uint64_t number = 0; number < top; ++number) {
    report.missing[number] = *rc::gen::inRange(0, 4) != 0;
  }
  if (*rc::gen::inRange(0, 3) != 0) report.tail = top;
  return report;
}

RC_GTEST_PROP(LossDetector, AgreesWithTheRuleNumberByNumber, ()) {
  const auto buffer_length = *rc::gen::inRange<std::size_t>(1, 6);
  LossDetector detector(buffer_length);
  Model model(buffer_length);
  const int reports = *rc::gen::inRange(0, 20);
  for (int i = 0; i < reports; ++i) {
    const Report report = arbitrary_report();
    Numbers lost;
    for (const Range& range : detector.on_report(report.ranges())) {
      RC_ASSERT(range.end <= kUniverse);
      for (std::uint64_t number = range.begin; number < range.end; ++number) lost.set(number);
    }
    RC_ASSERT(lost == model.on_report(report));
  }
}

}  // namespace loss_detector_test
}  // namespace wyndrvr::seq
