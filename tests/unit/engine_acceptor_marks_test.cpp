// How a server marks its answers, and which interface a client has to come by.
#include <string>

#include <gtest/gtest.h>

#include "unit/engine_acceptor_support.hpp"

namespace wyndrvr::engine::testing {
namespace {

constexpr std::uint8_t kExpedited = 0xb8;         // EF
constexpr std::uint8_t kExpeditedAndEct0 = 0xba;  // EF and ECT(0)

class AcceptorMarks : public AcceptorTest {
 protected:
  AcceptorEffects arrive(const Endpoint& from, std::string_view octets, const Arrival& arrival) {
    acceptor->on_datagram(kStart, from, kMainAddress, as_bytes(octets), arrival);
    return effects();
  }
  static std::optional<std::uint8_t> mark_of(const AcceptorEffects& all) {
    const auto send = find<SendFromMain>(all);
    return send ? std::optional(send->traffic_class) : std::nullopt;
  }
};

TEST_F(AcceptorMarks, ACookieHasTheCodePointOfItsHello) {
  config.dialect = DialectChoice::kOne;
  make();
  const Opening run;
  EXPECT_EQ(mark_of(arrive(run.from, run.hello(), {.traffic_class = kExpeditedAndEct0})),
            kExpedited);
  EXPECT_EQ(mark_of(arrive(run.from, run.hello(), {})), 0);
}

TEST_F(AcceptorMarks, AGrantHasThatOfTheTermsWhateverThePathMadeOfOpen) {
  config.dialect = DialectChoice::kOne;
  make();
  const Opening run;
  TestTerms terms;
  terms.traffic_class = kExpeditedAndEct0;
  const auto bind =
      find<BindPorts>(arrive(run.from, run.open(cookie_for(run), fields_of(terms)), {}));
  ASSERT_TRUE(bind);
  acceptor->on_bound(kStart, bind->id, std::nullopt);
  EXPECT_EQ(mark_of(effects()), kExpedited);
}

TEST_F(AcceptorMarks, AnOriginalSessionHasThatOfItsConnect) {
  make();
  const auto bind = find<BindPorts>(
      arrive(client_at(50'000), wire::kConnect, {.traffic_class = kExpeditedAndEct0}));
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->traffic_class, kExpedited) << "of its ports";
  acceptor->on_bound(kStart, bind->id, std::nullopt);
  EXPECT_EQ(mark_of(effects()), kExpedited) << "of the assignment";
}

TEST_F(AcceptorMarks, ANetworkOfALinkIsJudgedByTheInterfaceToo) {
  IpNetwork network = parse_network("192.0.2.0/24").value();
  network.address.scope = 3;
  config.deny = {network};
  make();
  EXPECT_TRUE(find<BindPorts>(arrive(client_at(1), wire::kConnect, {.interface = 4})));
  EXPECT_FALSE(find<BindPorts>(arrive(client_at(2), wire::kConnect, {.interface = 3})));
  EXPECT_FALSE(find<BindPorts>(arrive(client_at(3), wire::kConnect, {})))
      << "who cannot be told apart is not let in";
}

}  // namespace
}  // namespace wyndrvr::engine::testing
