// A client's result as tables for a person: latency per port, each test, and what limits trust.
//
// Lines without their ends. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/result.hpp"

namespace wyndrvr::app {

// "Client average latency CONTROL  : 0.123 ms", one for each port that answered; idle and loaded
// heartbeats together, as the original counts.
[[nodiscard]] std::vector<std::string> average_lines(const engine::SessionResult& result);

// One row a port, and one more where heartbeats ran during a test; empty where none were sent.
[[nodiscard]] std::vector<std::string> latency_table(const engine::SessionResult& result);

[[nodiscard]] std::vector<std::string> test_table(const engine::TestOutcome& outcome,
                                                  const std::optional<Endpoint>& server);

// "W102: the receiving socket …"
[[nodiscard]] std::vector<std::string> problem_lines(const engine::SessionResult& result);

// Both tables and the problems.
[[nodiscard]] std::vector<std::string> summary_lines(const engine::SessionResult& result);

}  // namespace wyndrvr::app
