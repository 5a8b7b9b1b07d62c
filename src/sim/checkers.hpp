// What must hold at every seed, beyond what PortWatch compares while a run goes on. Violations go
// to the environment's findings.
#pragma once

#include "sim/client_host.hpp"
#include "sim/environment.hpp"
#include "sim/server_host.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

// A session has let its ports go in time, whatever its client did.
void check_session_end(Environment& environment, const HostClock& clock,
                       const SessionTruth& session);
// A session whose port is lost tells its client, where that is due. After the coordinator has
// heard.
void check_session_loss(Environment& environment, const SessionTruth& session);
// The client came to its end in time, and its verdict fits what happened.
void check_client(Environment& environment, const ClientHost& client);
// The receiver's figures in a client's result against what the server's actor truly accepted.
void check_upload(Environment& environment, const ClientHost& client, const ServerHost& server);
// The same of tests of dialect 1, of either direction, and both sides' figures.
void check_streams(Environment& environment, const ClientHost& client, const ServerHost& server);
// Nothing is left at the server: no session, and every port free.
void check_server(Environment& environment, const ServerHost& server, std::size_t ports);

}  // namespace wyndrvr::sim
