// The ended children that this process has got from others.
//
// A process whose parent ends becomes a child of the nearest subreaper, else of process 1 of its
// PID namespace, such as the program of a container. Who does not wait for them keeps them as
// zombies, until no process can be started any more. Our own children are ChildProcess's.
#pragma once

#include <cstddef>

namespace wyndrvr::os {

// Whether others' children can become this process's: it is process 1, or a subreaper
// (PR_SET_CHILD_SUBREAPER of prctl(2)).
[[nodiscard]] bool adopts_orphans();

// Waits for all of them that have ended by now; how many those were. Does not block.
std::size_t reap_orphans();

}  // namespace wyndrvr::os
