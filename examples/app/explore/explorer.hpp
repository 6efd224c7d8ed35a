#pragma once
#include <filesystem>
#include <vector>

#include "explore/jobs.hpp"
#include "explore/kinds.hpp"
#include "explore/world.hpp"

namespace pellucid::app {

/// Answers what browsers ask: the page, what there is, and work to be done.
class Explorer {
 public:
  /// Loads the models. Throws Error as they do, and for a folder without images.
  Explorer(const std::vector<Common>& models, const std::filesystem::path& images,
           const std::filesystem::path& indexes, JobLimits limits = {})
      : world_(models, images, indexes), jobs_(limits) {}

  Response answer(const Request& request);
  /// Ends all work.
  void stop() { jobs_.stop(); }

  const World& world() const { return world_; }

 private:
  Response about() const;
  Response model(const Request& request);
  Response images(const Request& request);
  Response jobs(const Request& request);
  Response results(const Request& request);

  World world_;
  Jobs jobs_;
};

}  // namespace pellucid::app
