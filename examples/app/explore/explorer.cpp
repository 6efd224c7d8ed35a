#include "explore/explorer.hpp"

#include <pellucid/image/write.hpp>

#include <charconv>

#include "explore/page.hpp"

namespace pellucid::app {

namespace {

const std::map<std::string, Kind>& kinds() {
  static const std::map<std::string, Kind> all{
      {"predict", predict_wish},   {"explain", explain_wish}, {"activations", activations_wish},
      {"neuron", neuron_wish},     {"index", index_wish},     {"attack", attack_wish},
      {"smallest", smallest_wish}, {"dream", dream_wish},     {"invert", invert_wish},
  };
  return all;
}

Response json(const Json& document, int status = 200) {
  return Response::of(document.dump(-1, ' ', false, Json::error_handler_t::replace), "application/json",
                      status);
}

[[noreturn]] void nothing_there(const Request& request) {
  std::string path;
  for (const std::string& part : request.path) path += "/" + part;
  throw Refused(404, "there is nothing at " + path.substr(0, 120) + "; the page of the explorer is at /");
}

void check_method(const Request& request, const std::string& method) {
  if (request.method != method)
    throw Refused(405, request.method + " was asked for; this address takes " + method);
}

std::size_t number_in(const Request& request, const std::string& name, std::size_t left_out,
                      std::size_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return left_out;
  const std::string& text = found->second;
  std::size_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size() || value > most)
    throw Refused(400, name + "=" + text.substr(0, 40) + ": a whole number from 0 to " +
                           std::to_string(most) + " is expected");
  return value;
}

std::string text_in(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

Json told(const Listed& listed) {
  return {{"id", listed.id},
          {"name", listed.name},
          {"label", text_or_null(listed.label)},
          {"thumbnail", "/api/images/" + listed.id + "/thumbnail"}};
}

Response picture(std::shared_ptr<const std::string> png) {
  return {.type = "image/png", .body = std::move(png)};
}

/// A file name as a browser sends it: percent-encoded UTF-8.
std::string uploaded_name(const Request& request) {
  const auto found = request.headers.find("x-name");
  if (found == request.headers.end()) return "uploaded image";
  std::string name;
  for (std::size_t i = 0; i < found->second.size(); ++i) {
    unsigned value = 0;
    const char* const from = found->second.data() + i + 1;
    if (found->second[i] == '%' && i + 2 < found->second.size() &&
        std::from_chars(from, from + 2, value, 16).ptr == from + 2) {
      name += char(value);
      i += 2;
    } else {
      name += found->second[i];
    }
  }
  return name;
}

}  // namespace

Response Explorer::answer(const Request& request) {
  const std::vector<std::string>& path = request.path;
  if (path.empty() || path[0] == "page") {
    check_method(request, "GET");
    const PageFile* const file =
        path.size() <= 2 ? page_file(path.size() == 2 ? path[1] : "index.html") : nullptr;
    if (file == nullptr) nothing_there(request);
    return Response::of(std::string(file->text), std::string(file->type));
  }
  if (path[0] != "api" || path.size() < 2) nothing_there(request);
  if (path[1] == "about" && path.size() == 2) {
    check_method(request, "GET");
    return about();
  }
  if (path[1] == "models") return model(request);
  if (path[1] == "images") return images(request);
  if (path[1] == "jobs") return jobs(request);
  if (path[1] == "results") return results(request);
  nothing_there(request);
}

Response Explorer::about() const {
  Json document{{"models", Json::array()}};
  for (const Explored& one : world_.models) {
    std::int64_t parameters = 0;
    for (const auto& [name, value] : one.setup.model.state()) parameters += value.numel();
    Json names;
    for (std::int64_t k = 0; k < one.classes; ++k) {
      const std::string name = one.setup.labels.name(k);
      if (name.empty()) break;
      names.push_back(name);
    }
    document["models"].push_back({{"name", one.name},
                                  {"size", {one.input[2], one.input[3]}},
                                  {"classes", one.classes > 0 ? Json(one.classes) : Json()},
                                  {"class_names", names},
                                  {"parameters", parameters},
                                  {"indexed", indexed_layers(world_, one)}});
  }
  document["methods"] = methods_told();
  document["attacks"] = attacks_told();
  document["presets"] = presets_told();
  std::size_t total = 0;
  world_.images.list("", "", 0, 0, total);
  document["images"] = {{"count", total},
                        {"folder", world_.images.folder().filename().string()},
                        {"labels", world_.images.labels()}};
  document["limits"] = {{"upload_bytes", world_.images.limits().bytes},
                        {"upload_pixels", world_.images.limits().pixels},
                        {"queue", jobs_.limits().queue},
                        {"top", 20}};
  return json(document);
}

Response Explorer::model(const Request& request) {
  check_method(request, "GET");
  if (request.path.size() != 4) nothing_there(request);
  const Explored& one = world_.model(request.path[2]);
  const std::string& what = request.path[3];
  if (what == "patches") return patches_of(world_, request);
  if (what == "patch") return patch_picture(world_, request);
  if (what != "graph") nothing_there(request);
  Json document{{"input", one.input}, {"layers", Json::array()}, {"edges", Json::array()}};
  for (const LayerInfo& layer : one.layers)
    document["layers"].push_back({{"name", layer.name},
                                  {"kind", layer.kind},
                                  {"shape", layer.shape},
                                  {"parameters", layer.parameters}});
  for (const LayerEdge& edge : one.edges)
    document["edges"].push_back({edge.from.empty() ? "input" : edge.from, edge.to});
  return json(document);
}

Response Explorer::images(const Request& request) {
  const std::vector<std::string>& path = request.path;
  if (path.size() == 2 && request.method == "POST")
    return json(told(world_.images.upload(uploaded_name(request), request.body)), 201);
  check_method(request, "GET");
  if (path.size() == 2) {
    std::size_t total = 0;
    Json page = Json::array();
    for (const Listed& one : world_.images.list(text_in(request, "text"), text_in(request, "label"),
                                                number_in(request, "from", 0, 1 << 30),
                                                number_in(request, "count", 60, 200), total))
      page.push_back(told(one));
    return json({{"total", total}, {"images", page}});
  }
  const std::string& id = path[2];
  if (path.size() == 3) return json(told(world_.images.listed(id)));
  if (path.size() != 4) nothing_there(request);
  if (path[3] == "thumbnail") return picture(world_.images.thumbnail(id));
  if (path[3] != "picture") nothing_there(request);
  const Explored& one = world_.model(text_in(request, "model"));
  return picture(std::make_shared<std::string>(encode_png(to_picture(world_.seen(one, id)))));
}

Response Explorer::jobs(const Request& request) {
  const std::vector<std::string>& path = request.path;
  if (path.size() == 2 && request.method == "POST") {
    const Asked asked = Asked::of(request.body);
    const std::string kind = asked.text("kind");
    const auto found = kinds().find(kind);
    if (found == kinds().end())
      throw Refused(400, "\"kind\": there is no work called '" + kind.substr(0, 40) + "'");
    Wish wish = found->second(world_, asked);
    wish.kind = kind;
    wish.key = world_.run + asked.key();
    return jobs_.post(std::move(wish));
  }
  if (path.size() == 2) {
    check_method(request, "GET");
    return json(jobs_.list());
  }
  std::int64_t id = 0;
  const std::string& text = path[2];
  if (std::from_chars(text.data(), text.data() + text.size(), id).ptr != text.data() + text.size() ||
      text.empty())
    throw Refused(404, "there is no job '" + text.substr(0, 20) + "'");
  if (path.size() == 3) {
    check_method(request, "DELETE");
    jobs_.cancel(id);
    return Response::of("", "application/json", 204);
  }
  check_method(request, "GET");
  if (path.size() != 4 || path[3] != "events") nothing_there(request);
  jobs_.check(id);
  return {.listen = [this, id](const std::shared_ptr<EventSink>& sink) { return jobs_.listen(id, sink); }};
}

Response Explorer::results(const Request& request) {
  check_method(request, "GET");
  const std::vector<std::string>& path = request.path;
  if (path.size() != 3 && path.size() != 4) nothing_there(request);
  const auto found = jobs_.found(path[2]);
  if (path.size() == 3) return json(found->answer);
  const auto file = found->files.find(path[3]);
  if (file == found->files.end()) nothing_there(request);
  Response response{.type = file->second.type, .body = file->second.bytes, .forever = true};
  if (file->second.type != "image/png") response.file = path[3];
  return response;
}

}  // namespace pellucid::app
