// The result document `wyndrvr-result/1` (docs/schema/result-1.json): a run as JSON.
//
// Keys are a contract: more may be added, none renamed. What was not measured is absent. Pure:
// time, host and identity are arguments.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::app {

// What is known of a run besides its measurements.
struct RunFacts {
  base::Uuid run_id;  // version 7
  WallTime started_at;
  std::string target;  // "host:port", as it was asked for
  std::string kernel;
  unsigned cpu_count = 1;
  runtime::PlacementMode ports = runtime::PlacementMode::kSingle;
  runtime::PlacementMode connections = runtime::PlacementMode::kSingle;
  engine::Dialect dialect = engine::Dialect::kOriginal;  // asked for first
  bool ecn = false;                                      // data was marked as ECN-capable
};

[[nodiscard]] nlohmann::ordered_json result_document(const runtime::ClientOutcome& outcome,
                                                     const RunFacts& facts);

// As it is printed: indented, ends with a newline; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string document_text(const nlohmann::ordered_json& document);

// RFC 3339 in UTC with milliseconds: "2024-05-01T12:00:00.000Z".
[[nodiscard]] std::string format_rfc3339(WallTime time);

}  // namespace wyndrvr::app
