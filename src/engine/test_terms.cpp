#include "engine/test_terms.hpp"

namespace wyndrvr::engine {

wire::SessionFields fields_of(const TestTerms& terms) {
  wire::SessionFields fields;
  fields.directions = terms.directions;
  fields.duration = terms.duration;
  fields.rate = wire::WantedRate{terms.rate};
  fields.payload = ByteCount{terms.payload_bytes};
  fields.streams = terms.streams;
  fields.reliable = terms.reliable;
  fields.octets = terms.octets;
  fields.single_port = terms.single_port;
  fields.data_tags = terms.data_tags;
  fields.fragment = terms.fragment;
  fields.traffic_class = terms.traffic_class;
  return fields;
}

TestTerms terms_of(const wire::SessionFields& fields, const TestTerms& otherwise) {
  TestTerms terms;
  terms.directions = fields.directions.value_or(otherwise.directions);
  terms.duration = fields.duration.value_or(otherwise.duration);
  terms.rate = fields.rate ? fields.rate->fixed : otherwise.rate;
  terms.adaptive = fields.rate ? !fields.rate->fixed : otherwise.adaptive;
  terms.payload_bytes =
      fields.payload ? static_cast<std::uint32_t>(fields.payload->value) : otherwise.payload_bytes;
  terms.streams = fields.streams.value_or(otherwise.streams);
  terms.reliable = fields.reliable.value_or(otherwise.reliable);
  terms.octets = fields.octets ? fields.octets : otherwise.octets;
  terms.single_port = fields.single_port.value_or(otherwise.single_port);
  terms.data_tags = fields.data_tags.value_or(otherwise.data_tags);
  terms.fragment = fields.fragment.value_or(otherwise.fragment);
  terms.traffic_class = fields.traffic_class.value_or(otherwise.traffic_class);
  return terms;
}

}  // namespace wyndrvr::engine
