#include "attack_accuracy.hpp"

#include <algorithm>

#include "text.hpp"

namespace pellucid::app {

namespace {

/// The notices of an image at all ε, each once.
std::vector<std::string> notices_of(const Sweep& sweep, std::size_t image) {
  std::vector<std::string> all;
  for (const std::vector<AttackResult>& results : sweep)
    for (const std::string& notice : results[image].notices)
      if (std::find(all.begin(), all.end(), notice) == all.end()) all.push_back(notice);
  return all;
}

/// Each notice once, with the images that it is about.
std::string listing(const Sweep& sweep) {
  constexpr std::size_t most_named = 3;
  std::map<std::string, std::vector<std::string>> images;
  for (std::size_t i = 0; i < sweep[0].size(); ++i)
    for (const std::string& notice : notices_of(sweep, i)) images[notice].push_back(sweep[0][i].file);
  std::string text;
  for (auto& [notice, files] : images) {
    const std::size_t more = files.size() - std::min(files.size(), most_named);
    files.resize(files.size() - more);
    text += "notice  " + joined(files) + (more > 0 ? " and " + std::to_string(more) + " more" : "") + ": " +
            notice + "\n";
  }
  return text;
}

}  // namespace

std::vector<AccuracyPoint> accuracy(const AttackChoice& choice, const Sweep& sweep) {
  std::vector<AccuracyPoint> points;
  for (std::size_t i = 0; i < sweep.size(); ++i) {
    AccuracyPoint point{.epsilon = choice.epsilons()[i], .images = std::int64_t(sweep[i].size())};
    for (const AttackResult& result : sweep[i]) {
      point.count += result.succeeded() == result.target.has_value();
      point.unmoved += result.unmoved;
    }
    points.push_back(point);
  }
  return points;
}

Counted::Counted(const std::optional<std::int64_t>& label, const std::optional<std::int64_t>& target,
                 bool label_of_each, const Labels& labels)
    : words(target          ? "brought to " + labels.text(*target)
            : label         ? "still " + labels.text(*label)
            : label_of_each ? "still right"
                            : "still as before"),
      entry(target                   ? "reached"
            : label || label_of_each ? "accuracy"
                                     : "withstood") {}

std::string as_text(const std::vector<AccuracyPoint>& points, const Sweep& sweep, const AttackChoice& choice,
                    const Counted& counted) {
  const bool any_unmoved =
      std::any_of(points.begin(), points.end(), [](const AccuracyPoint& point) { return point.unmoved > 0; });
  std::vector<std::string> header{"epsilon", counted.words, "of", "share"};
  if (any_unmoved) header.emplace_back("no way found");
  Table table(header);
  for (const AccuracyPoint& point : points) {
    std::vector<std::string> row{choice.text(point.epsilon), std::to_string(point.count),
                                 std::to_string(point.images), percent(point.share())};
    if (any_unmoved) row.push_back(std::to_string(point.unmoved));
    table.add(row);
  }
  return table.text() + listing(sweep);
}

void add_to(Json& document, const std::vector<AccuracyPoint>& points, const Sweep& sweep,
            const Labels& labels, const Counted& counted) {
  for (std::size_t i = 0; i < sweep[0].size(); ++i) {
    Json entry = json_of_image(sweep[0][i], labels);
    entry["epsilons"] = Json::array();
    for (std::size_t k = 0; k < sweep.size(); ++k) {
      Json at{{"epsilon", points[k].epsilon}};
      at.update(json_of_answer(sweep[k][i].steps.back(), labels));
      at.update(json_of_outcome(sweep[k][i]));
      entry["epsilons"].push_back(at);
    }
    entry["notices"] = notices_of(sweep, i);
    document["images"].push_back(entry);
  }
  document[counted.entry] = Json::array();
  for (const AccuracyPoint& point : points)
    document[counted.entry].push_back({{"epsilon", point.epsilon},
                                       {"counted", counted.words},
                                       {"count", point.count},
                                       {"images", point.images},
                                       {"share", point.share()},
                                       {"unmoved", point.unmoved}});
}

}  // namespace pellucid::app
