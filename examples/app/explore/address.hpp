#pragma once
/// What a request says of where it wants to go and where it comes from.

#include <map>
#include <string>

#include "explore/http.hpp"

namespace pellucid::app {

/// Reads path and query of a request. Throws Refused where it is none.
void read_target(const std::string& target, Request& request);

/// Throws Refused unless the request names this machine: by an address, as localhost, or as it was told to
/// listen; a name of another machine may have been made to point here (DNS rebinding). And unless it comes
/// from one of this server's own pages, as far as the browser tells.
void check_origin(const std::map<std::string, std::string>& headers, const std::string& method,
                  const std::string& own_host);

}  // namespace pellucid::app
