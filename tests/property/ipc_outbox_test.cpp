// The outbox against a plain model: a list of what must come out, and a count of what was lost.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ipc/outbox.hpp"

namespace wyndrvr::ipc {
namespace outbox_test {

// Every frame is a number of its own. A state is told from others by its key alone.
struct Model {
  struct Frame {
    Keep keep;
    std::uint8_t key;
    std::string text;
  };

  bool push(const Frame& frame) {
    const auto older = std::ranges::find_if(waiting, [&](const Frame& one) {
      return one.keep == Keep::kNewest && frame.keep == Keep::kNewest && one.key == frame.key;
    });
    if (older != waiting.end()) {
      older->text = frame.text;
      return true;
    }
    const std::size_t most =
        frame.keep == Keep::kMayLose ? Outbox::kCapacity / 2 + 1 : Outbox::kCapacity;
    if (waiting.size() < most) {
      waiting.push_back(frame);
      return true;
    }
    if (frame.keep != Keep::kAlways) ++lost;
    return frame.keep != Keep::kAlways;
  }

  std::deque<Frame> waiting;
  std::uint64_t lost = 0;
};

void agree(const Outbox& outbox, const Model& model) {
  RC_ASSERT(outbox.size() == model.waiting.size());
  RC_ASSERT(outbox.empty() == model.waiting.empty());
  RC_ASSERT(outbox.dropped() == model.lost);
  if (!model.waiting.empty()) RC_ASSERT(as_text(outbox.front()) == model.waiting.front().text);
}

// `eagerness`: pops out of a hundred steps; few of them let the box run full.
void run_against_model(int eagerness) {
  Outbox outbox;
  Model model;
  for (int step = 0; step < 700; ++step) {
    if (*rc::gen::inRange(0, 100) < eagerness) {
      if (outbox.empty()) continue;
      outbox.pop();
      model.waiting.pop_front();
    } else {
      const Model::Frame frame{static_cast<Keep>(*rc::gen::inRange(0, 3)),
                               *rc::gen::inRange<std::uint8_t>(0, 8), std::to_string(step)};
      const bool taken = outbox.push(as_bytes(frame.text), frame.keep, frame.key);
      RC_ASSERT(taken == model.push(frame));
    }
    agree(outbox, model);
  }
}

RC_GTEST_PROP(OutboxProperty, BehavesLikeTheModelWhileTheOtherEndReads, ()) {
  run_against_model(*rc::gen::inRange(30, 70));
}

RC_GTEST_PROP(OutboxProperty, BehavesLikeTheModelWhileTheOtherEndHardlyReads, ()) {
  run_against_model(*rc::gen::inRange(0, 5));
}

}  // namespace outbox_test
}  // namespace wyndrvr::ipc
