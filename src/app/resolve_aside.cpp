#include "app/resolve_aside.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/time.hpp"
#include "os/resolver.hpp"

namespace wyndrvr::app {
namespace {

using Found = Result<std::vector<Endpoint>>;

struct Lookup {
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Found> found;
};

// The thread has the mask of its maker, to which the signals are blocked. It is not waited for: the
// end of the process ends it.
bool start(const std::shared_ptr<Lookup>& lookup, const std::string& host, Port port) {
  try {
    std::thread([lookup, host, port] {
      auto found = os::resolve(host, port);
      const std::scoped_lock lock(lookup->mutex);
      lookup->found = std::move(found);
      lookup->done.notify_all();
    }).detach();
    return true;
  } catch (const std::system_error&) {
    return false;  // a limit on threads
  }
}

}  // namespace

std::optional<Found> resolve_aside(const std::string& host, Port port, os::SignalFd& signals) {
  constexpr Duration kStep = 20ms;
  const auto lookup = std::make_shared<Lookup>();
  if (parse_ip(host) || !start(lookup, host, port)) return os::resolve(host, port);
  std::unique_lock lock(lookup->mutex);
  while (!lookup->done.wait_for(lock, kStep, [&] { return lookup->found.has_value(); })) {
    if (signals.read()) return std::nullopt;
  }
  return std::move(lookup->found);
}

}  // namespace wyndrvr::app
