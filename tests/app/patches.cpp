#include <boost/test/unit_test.hpp>

#include <pellucid/image/read.hpp>

#include "app/shell.hpp"
#include "port.hpp"

namespace {

/// A picture 16×16 of one colour value (0 to 255), and in one channel one brighter pixel.
void put(const Shell& shell, const std::string& name, int everywhere, int channel, int y, int x,
         int brightest) {
  Tensor picture = torch::full({1, 3, 16, 16}, everywhere / 255.0);
  picture[0][channel][y][x] = brightest / 255.0;
  std::filesystem::create_directories(std::filesystem::path(shell.path(name)).parent_path());
  write_png(shell.path(name), to_picture(picture));
}

/// Layer body = relu(2x): a place sees one pixel, and is twice as strong.
const std::string scan = "patches" + model + "--images photos --layer body ";

void put_three(const Shell& shell) {
  put(shell, "photos/bright.png", 51, 0, 3, 7, 255);
  put(shell, "photos/deeper/dim.png", 51, 0, 9, 1, 102);
  put(shell, "photos/green.png", 51, 1, 15, 15, 153);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_patches)

BOOST_AUTO_TEST_CASE(the_strongest_patches_of_a_folder) {
  const Shell shell;
  put_three(shell);
  shell.put("classes.csv", "bright.png,1\n");
  const json document =
      shell.document(scan + "--top 2 --labels labels.txt --label-file classes.csv --out sheet.png");
  BOOST_TEST(document["images"] == 3);
  BOOST_TEST(document["duplicates"] == 0);
  BOOST_TEST(document["left_out"].empty());
  const json& layer = document["layers"][0];
  BOOST_TEST(layer["layer"] == "body");
  BOOST_TEST(layer["channels_in_all"] == 3);
  BOOST_TEST((layer["receptive_field"]["size"] == json{1, 1}));
  // Red, green and blue, by their largest values: 2, 2 · 0.6 and 2 · 0.2.
  BOOST_REQUIRE(layer["channels"].size() == 3U);
  const json &red = layer["channels"][0], &green = layer["channels"][1], &blue = layer["channels"][2];
  BOOST_TEST(red["channel"] == 0);
  BOOST_TEST(green["channel"] == 1);
  BOOST_TEST(blue["channel"] == 2);
  BOOST_REQUIRE(red["patches"].size() == 2U);
  const json &first = red["patches"][0], &second = red["patches"][1];
  BOOST_TEST(first["image"] == "bright.png");
  BOOST_TEST(std::abs(first["value"].get<double>() - 2) < 1e-6);
  BOOST_TEST(first["y"] == 3);
  BOOST_TEST(first["x"] == 7);
  BOOST_TEST(first["label"] == "dog (1)");
  BOOST_TEST((first["box"] == json{{"top", 3}, {"left", 7}, {"bottom", 4}, {"right", 8}}));
  BOOST_TEST(second["image"] == "deeper/dim.png");
  BOOST_TEST(std::abs(second["value"].get<double>() - 0.8) < 1e-6);
  BOOST_TEST(second["label"].is_null());
  BOOST_TEST(std::abs(green["patches"][0]["value"].get<double>() - 1.2) < 1e-6);
  // Of equal values the image with the smaller digest comes first, and of its places the first.
  BOOST_TEST(std::abs(blue["patches"][0]["value"].get<double>() - 0.4) < 1e-6);
  BOOST_TEST(blue["patches"][0]["y"] == 0);
  BOOST_TEST(read_image(shell.path("sheet.png")).size(3) > 200);

  const Outcome told = shell.run(scan + "--channels 0-1");
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.err == "");
  BOOST_TEST(told.out.starts_with("3 images\nbody: 3 channels, a place sees 1×1 step 1×1 pixels\n"));
  BOOST_TEST(told.out.find("2      bright.png") != std::string::npos);
  BOOST_TEST(told.out.find("3, 7") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_folder_that_grew_is_continued_and_parts_merge) {
  const Shell shell;
  put_three(shell);
  shell.put("photos/broken.png", "no picture");
  const Outcome before = shell.run(scan + "--index grown.safetensors");
  BOOST_TEST(before.code == 0);
  BOOST_TEST(before.err.find("note: left out: ") != std::string::npos);
  BOOST_TEST(before.err.find("broken.png") != std::string::npos);
  BOOST_TEST(before.out.find("3 images; left out: 1\n") != std::string::npos);
  BOOST_TEST(before.out.find("written: grown.safetensors\n") != std::string::npos);

  put(shell, "photos/new.png", 51, 2, 4, 4, 204);
  put(shell, "photos/twice.png", 51, 0, 3, 7, 255);  // as bright.png
  const json grown = json::parse(shell.run(scan + "--index grown.safetensors --json").out);
  BOOST_TEST(grown["images"] == 5);
  BOOST_TEST(grown["duplicates"] == 1);
  BOOST_TEST(grown["left_out"].size() == 1U);
  BOOST_TEST(grown["left_out"][0]["image"] == "broken.png");

  std::string parts;
  for (const std::string number : {"1", "2", "3"}) {
    const std::string part = "part-" + number + ".safetensors ";
    BOOST_TEST(shell.run(scan + "--shard " + number + "/3 --index " + part).code == 0);
    parts += part;
  }
  const json merged = shell.document("patches merge " + parts + "--index merged.safetensors");
  BOOST_TEST(merged["images"] == 5);
  BOOST_TEST(contents(shell.path("merged.safetensors")) == contents(shell.path("grown.safetensors")));
  const Outcome told = shell.run("patches merge " + parts + "--index merged.safetensors");
  // A part is added to what is there, and a part of it is shown.
  put(shell, "more/blue.png", 0, 2, 4, 4, 255);
  BOOST_TEST(shell.run("patches" + model + "--images more --layer body --index more.safetensors").code == 0);
  BOOST_TEST(shell.document("patches merge more.safetensors --index kept.safetensors")["images"] == 1);
  BOOST_TEST(shell.document("patches merge merged.safetensors --index kept.safetensors")["images"] == 6);
  const json shown = json::parse(shell.run(scan + "--index merged.safetensors --top 1 --json").out);
  const json& blue = shown["layers"][0]["channels"][1];  // 2 · 0.8, behind red
  BOOST_TEST(blue["channel"] == 2);
  BOOST_TEST(blue["patches"].size() == 1U);
  BOOST_TEST(blue["patches"][0]["image"] == "new.png");
  BOOST_TEST(told.out ==
             "5 images, 1 of them again under another name; left out: 1\n"
             "written: merged.safetensors\n");
}

BOOST_AUTO_TEST_CASE(several_processes_give_one_index) {
  const Shell shell;
  if (shell.run("patches --help").out.find("--distributed") == std::string::npos) {
    BOOST_TEST_MESSAGE("passed over: this build has no scans in several processes");
    return;
  }
  put_three(shell);
  shell.refused(scan + "--index i.safetensors --distributed", {"RANK", "WORLD_SIZE", "MASTER_ADDR"});
  shell.refused(scan + "--index i.safetensors --distributed --shard 1/2", {"--distributed", "--shard"});
  const std::string processes =
      "cd '" + shell.path("") + "' && for rank in 0 1; do RANK=$rank WORLD_SIZE=2 " +
      "MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(free_port()) +
      " '" PELLUCID_BIN_DIR "/pellucid' " + scan +
      "--index shared.safetensors --distributed >out-$rank 2>err-$rank & done; wait";
  BOOST_TEST(std::system(processes.c_str()) == 0);
  BOOST_TEST(shell.run(scan + "--index alone.safetensors").code == 0);
  BOOST_TEST(contents(shell.path("shared.safetensors")) == contents(shell.path("alone.safetensors")));
  for (const std::string rank : {"0", "1"}) {
    BOOST_TEST(contents(shell.path("err-" + rank)) == "");
    // The first tells it.
    BOOST_TEST(contents(shell.path("out-" + rank)).starts_with(rank == "0" ? "3 images\n" : ""));
    BOOST_TEST(contents(shell.path("out-" + rank)).empty() == (rank == "1"));
  }
}

BOOST_AUTO_TEST_CASE(wrong_wishes_are_refused) {
  const Shell shell;
  put_three(shell);
  const std::string whole = "patches" + model;
  shell.refused(whole + "--layer body", {"--images"});
  shell.refused(whole + "--images photos", {"--layer", "pellucid layers"});
  shell.refused("patches --images photos --layer body", {"--model"});
  shell.refused(whole + "--images nowhere --layer body", {"nowhere"});
  shell.refused(scan + "--layer boddy", {"boddy", "body"});
  shell.refused(scan + "--channels 1-3", {"--channels 1-3", "'body'", "3 channels, 0 to 2"});
  shell.refused(scan + "--dream", {"--dream", "--out"});
  shell.refused(scan + "--top 0", {"--top 0"});
  shell.refused(scan + "--label-file none.csv", {"none.csv"});
  shell.put("far.csv", "bright.png,7\n");
  shell.refused(scan + "--labels labels.txt --label-file far.csv", {"class 7", "labels.txt", "0 to 1"});
  shell.refused(scan + "--shard 1/2", {"--shard", "--index"});
  for (const std::string wrong : {"3/2", "0/2", "1", "1/", "a/b", "1/2/3"})
    shell.refused(scan + "--index p.safetensors --shard " + wrong, {"--shard " + wrong, "1/4"});
  shell.refused(scan + "--index nowhere/p.safetensors", {"nowhere"});
  shell.put("text.safetensors", "this is none");
  shell.refused(scan + "--index text.safetensors", {"text.safetensors"});
  shell.refused("patches merge text.safetensors --index whole.safetensors", {"text.safetensors"});
  shell.refused("patches merge", {"indexes", "pellucid patches --help"});
  BOOST_TEST(shell.run(scan + "--index two.safetensors --top 2").code == 0);
  BOOST_TEST(shell.run(scan + "--index nine.safetensors").code == 0);
  shell.refused(scan + "--index two.safetensors --top 3", {"--top 3", "two.safetensors", "top 2"});
  shell.refused("patches" + model + "--images photos --layer other --index two.safetensors",
                {"--layer other", "two.safetensors", "body"});
  shell.refused("patches merge two.safetensors nine.safetensors --index all.safetensors",
                {"two.safetensors is of the top 2", "nine.safetensors 9"});
  shell.refused("patches merge two.safetensors", {"--index"});
}

BOOST_AUTO_TEST_CASE(an_image_that_has_changed_is_not_drawn) {
  const Shell shell;
  put_three(shell);
  BOOST_TEST(shell.run(scan + "--index p.safetensors").code == 0);
  std::filesystem::remove(shell.path("photos/green.png"));
  // Bytes that are there under another name are the image.
  put(shell, "photos/renamed.png", 51, 1, 15, 15, 153);
  BOOST_TEST(shell.run(scan + "--index p.safetensors --out sheet.png").code == 0);
  std::filesystem::remove(shell.path("photos/renamed.png"));
  std::filesystem::remove(shell.path("sheet.png"));
  // What was found is told all the same.
  const Outcome gone = shell.run(scan + "--index p.safetensors --out sheet.png");
  BOOST_TEST(gone.code == 2);
  BOOST_TEST(gone.out.find("4 images, 1 of them again") != std::string::npos);
  BOOST_TEST(gone.err.find("green.png") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(shell.path("sheet.png")));
}

BOOST_AUTO_TEST_CASE(pictures_of_shapes) {
  const Shell shell;
  const Outcome drawn = shell.run("shapes --out world --count 3 --first 7 --size 32");
  BOOST_TEST(drawn.code == 0);
  BOOST_TEST(drawn.out == "written: 3 pictures, world\n");
  std::vector<std::string> names;
  for (const auto& file : list_images(shell.path("world"))) names.push_back(file.filename().string());
  std::sort(names.begin(), names.end());
  BOOST_TEST(names == (std::vector<std::string>{"000007.png", "000008.png", "000009.png"}),
             boost::test_tools::per_element());
  shell.refused("shapes --out world --count 0", {"--count 0"});
  shell.refused("shapes --out world --size 3", {"3"});
  shell.refused("shapes", {"--out"});
}

BOOST_AUTO_TEST_SUITE_END()
