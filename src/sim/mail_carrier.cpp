#include "sim/mail_carrier.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "ipc/outbox.hpp"

namespace wyndrvr::sim {
namespace {

using engine::Mailbox;

constexpr std::size_t kMailboxes = engine::kPortCount + 1;

std::size_t index_of(Mailbox mailbox) {
  return static_cast<std::size_t>(mailbox);
}

class OneLoop : public MailCarrier {
 public:
  OneLoop(Environment& environment, Arrive arrive)
      : queue_(environment.queue), arrive_(std::move(arrive)) {}

  void send(Mailbox to, ipc::Letter letter, TrueTime due) override {
    queue_.at(due, [this, to, held = std::move(letter)] { arrive_(to, held); });
  }

 private:
  EventQueue& queue_;
  Arrive arrive_;
};

class OwnLoops : public MailCarrier {
 public:
  OwnLoops(Environment& environment, Arrive arrive)
      : queue_(environment.queue), arrive_(std::move(arrive)) {}

  void send(Mailbox to, ipc::Letter letter, TrueTime due) override {
    // By the time at which they come in; those of different senders may overtake each other.
    std::deque<Waiting>& inbox = inboxes_[index_of(to)];
    const auto later = std::ranges::upper_bound(inbox, due, {}, &Waiting::due);
    inbox.insert(later, {due, std::move(letter)});
    queue_.at(due, [this, to] { turn(to); });
  }

 private:
  struct Waiting {
    TrueTime due;
    ipc::Letter letter;
  };

  void turn(Mailbox to) {
    std::deque<Waiting>& inbox = inboxes_[index_of(to)];
    const ipc::Letter letter = std::move(inbox.front().letter);
    inbox.pop_front();
    arrive_(to, letter);
  }

  EventQueue& queue_;
  Arrive arrive_;
  std::array<std::deque<Waiting>, kMailboxes> inboxes_;
};

class Channels : public MailCarrier {
 public:
  Channels(Environment& environment, const std::string& name, Arrive arrive)
      : environment_(environment), name_(name), arrive_(std::move(arrive)) {}

  void send(Mailbox to, ipc::Letter letter, TrueTime due) override {
    Channel& channel = channels_[index_of(letter.from)][index_of(to)];
    std::vector<std::byte> frame;
    ipc::encode(letter, frame);
    if (channel.outbox.empty() && has_room(channel)) {
      channel.frames.push_back(std::move(frame));
    } else {
      hold_back(channel, letter, frame);
    }
    environment_.queue.at(due, [this, from = letter.from, to] { read(from, to); });
  }

 private:
  struct Channel {
    std::deque<std::vector<std::byte>> frames;
    ipc::Outbox outbox;
  };

  [[nodiscard]] bool has_room(const Channel& channel) const {
    return channel.frames.size() < environment_.scenario.channel_room;
  }

  void hold_back(Channel& channel, const ipc::Letter& letter, ByteView frame) {
    environment_.coverage.count(Seen::kMailHeldBack);
    const bool may_lose = environment_.scenario.newest_wins;
    const ipc::Keep keep = may_lose ? ipc::keep_of(letter.message) : ipc::Keep::kAlways;
    const std::size_t before = channel.outbox.size();
    if (!channel.outbox.push(frame, keep, ipc::key_of(letter))) {
      environment_.findings.add(environment_.queue.now(), "{}: an outbox is full", name_);
    } else if (channel.outbox.size() == before) {
      environment_.coverage.count(Seen::kMailSuperseded);
    }
  }

  void read(Mailbox from, Mailbox to) {
    Channel& channel = channels_[index_of(from)][index_of(to)];
    if (channel.frames.empty()) {
      // A newer state took the place of one that waited, and came with that one's event.
      if (!environment_.scenario.newest_wins) {
        environment_.findings.add(environment_.queue.now(), "{}: a letter is missing", name_);
      }
      return;
    }
    const std::vector<std::byte> frame = std::move(channel.frames.front());
    channel.frames.pop_front();
    refill(channel);
    const auto letter = ipc::decode(frame);
    if (letter) {
      arrive_(to, *letter);
    } else {
      environment_.findings.add(environment_.queue.now(),
                                "{}: a message of {} octets does not decode", name_, frame.size());
    }
  }

  void refill(Channel& channel) const {
    while (has_room(channel) && !channel.outbox.empty()) {
      const ByteView next = channel.outbox.front();
      channel.frames.emplace_back(next.begin(), next.end());
      channel.outbox.pop();
    }
  }

  Environment& environment_;
  std::string name_;
  Arrive arrive_;
  std::array<std::array<Channel, kMailboxes>, kMailboxes> channels_;  // from, to
};

}  // namespace

std::unique_ptr<MailCarrier> make_mail_carrier(Environment& environment, const std::string& name,
                                               MailCarrier::Arrive arrive) {
  switch (environment.topology) {
    case Topology::kOneLoop:
      break;
    case Topology::kOwnLoops:
      return std::make_unique<OwnLoops>(environment, std::move(arrive));
    case Topology::kChannels:
      return std::make_unique<Channels>(environment, name, std::move(arrive));
  }
  return std::make_unique<OneLoop>(environment, std::move(arrive));
}

}  // namespace wyndrvr::sim
