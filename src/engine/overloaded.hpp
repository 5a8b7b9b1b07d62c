// Lets std::visit take one lambda for each alternative of a variant.
#pragma once

namespace wyndrvr::engine {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace wyndrvr::engine
