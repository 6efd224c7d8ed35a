#include <boost/test/unit_test.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/image/write.hpp>

#include <array>
#include <cstdlib>
#include <functional>

#ifdef __unix__
#include <unistd.h>
#endif

#include "temporary.hpp"

using namespace pellucid;

namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Png {
  int width, height, depth, type;
  std::string rows{};  // as libpng takes them: the samples of each row, packed
  int interlace = PNG_INTERLACE_NONE;
  std::vector<png_color> palette{};
  std::vector<png_byte> palette_alpha{};
  std::optional<png_color_16> transparent{};
};

std::string encode(const Png& image) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, png_size_t size) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, png_uint_32(image.width), png_uint_32(image.height), image.depth, image.type,
               image.interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!image.palette.empty()) png_set_PLTE(png, info, image.palette.data(), int(image.palette.size()));
  if (!image.palette_alpha.empty()) {
    png_set_tRNS(png, info, image.palette_alpha.data(), int(image.palette_alpha.size()), nullptr);
  }
  if (image.transparent) png_set_tRNS(png, info, nullptr, 0, &*image.transparent);
  png_write_info(png, info);
  std::string rows = image.rows;
  const std::size_t size = png_get_rowbytes(png, info);
  BOOST_REQUIRE_EQUAL(rows.size(), size * std::size_t(image.height));
  std::vector<png_bytep> pointers;
  for (int y = 0; y < image.height; ++y) {
    pointers.push_back(reinterpret_cast<png_bytep>(rows.data()) + size * std::size_t(y));
  }
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

/// A JPEG of quality 100 without chroma subsampling. Whatever `arrange` sets on the encoder is obeyed.
std::string encode_jpeg(int width, int height, int components, J_COLOR_SPACE space, std::string pixels,
                        const std::function<void(jpeg_compress_struct&)>& arrange = {},
                        const std::string& app1 = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = JDIMENSION(width);
  info.image_height = JDIMENSION(height);
  info.input_components = components;
  info.in_color_space = space;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  for (int c = 0; c < info.num_components; ++c) {
    info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
  }
  if (arrange) arrange(info);
  jpeg_start_compress(&info, TRUE);
  if (!app1.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, bytes_of(app1).data(), static_cast<unsigned>(app1.size()));
  }
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = reinterpret_cast<JSAMPROW>(pixels.data()) + int(info.next_scanline) * width * components;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string out(reinterpret_cast<char*>(memory), size);
  std::free(memory);
  jpeg_destroy_compress(&info);
  return out;
}

void use_progressive(jpeg_compress_struct& info) {
  jpeg_simple_progression(&info);
}

/// The EXIF block of one entry, the orientation, behind another one.
std::string exif(int orientation, bool little) {
  const auto number = [little](unsigned value, int size) {
    std::string text;
    for (int i = 0; i < size; ++i) text += char(value >> (8 * (little ? i : size - 1 - i)) & 255);
    return text;
  };
  return std::string("Exif\0\0", 6) + (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) +
         number(0x0100, 2) + number(4, 2) + number(1, 4) + number(640, 4) +  //
         number(0x0112, 2) + number(3, 2) + number(1, 4) + number(unsigned(orientation), 2) +
         number(0, 2) +  //
         number(0, 4);
}

/// Samples in no order that a mistake could survive.
std::string mixed(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += char(unsigned(i + 1) * 2654435761u >> 23);
  return text;
}

float value(const Images& images, int64_t c, int64_t y, int64_t x) {
  return images[0][c][y][x].item<float>();
}

void check_pixel(const Images& images, int64_t y, int64_t x, std::array<double, 3> rgb) {
  for (int64_t c = 0; c < 3; ++c) {
    BOOST_TEST(std::abs(value(images, c, y, x) - rgb[std::size_t(c)]) < 1e-6,
               "pixel " << y << ", " << x << ", channel " << c << ": " << value(images, c, y, x)
                        << ", expected " << rgb[std::size_t(c)]);
  }
}

Images decode(const std::string& file) {
  const Images images = decode_image(bytes_of(file));
  BOOST_TEST((images.scalar_type() == at::kFloat));
  BOOST_TEST(images.is_contiguous());
  BOOST_TEST(images.size(0) == 1);
  BOOST_TEST(images.size(1) == 3);
  return images;
}

void check_refused(const std::string& file, std::vector<std::string> words) {
  words.push_back("the image");
  words.push_back("expected a PNG or JPEG image");
  BOOST_CHECK_EXCEPTION(decode_image(bytes_of(file)), Error, says(words));
}

const Png rgb_2x2{2, 2, 8, PNG_COLOR_TYPE_RGB,
                  std::string("\xff\x00\x80\x01\x02\x03\x04\x05\x06\xfd\xfe\xff", 12)};

/// A file that claims a size and holds nothing.
std::string png_of_size(unsigned width, unsigned height) {
  const auto big = [](unsigned v) {
    return std::string{char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
  };
  const std::string body = "IHDR" + big(width) + big(height) + std::string("\x08\x02\x00\x00\x00", 5);
  unsigned crc = ~0u;
  for (const unsigned char c : body) {
    crc ^= c;
    for (int k = 0; k < 8; ++k) crc = crc & 1 ? 0xEDB88320u ^ crc >> 1 : crc >> 1;
  }
  return "\x89PNG\r\n\x1a\n" + big(13) + body + big(~crc) + big(0) + "IDAT" + big(0x35AF061E);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image_read)

BOOST_AUTO_TEST_CASE(png_rgb) {
  const Images images = decode(encode(rgb_2x2));
  BOOST_TEST(images.sizes() == (at::IntArrayRef{1, 3, 2, 2}));
  check_pixel(images, 0, 0, {1, 0, 128 / 255.});
  check_pixel(images, 0, 1, {1 / 255., 2 / 255., 3 / 255.});
  check_pixel(images, 1, 0, {4 / 255., 5 / 255., 6 / 255.});
  check_pixel(images, 1, 1, {253 / 255., 254 / 255., 1});
}

BOOST_AUTO_TEST_CASE(png_grey_of_every_depth) {
  const auto row = [](int width, int depth, std::string bytes) {
    return decode(encode({width, 1, depth, PNG_COLOR_TYPE_GRAY, std::move(bytes)}));
  };
  const Images one = row(3, 1, "\xA0"), two = row(4, 2, "\x1B"), four = row(2, 4, "\x3C"),
               eight = row(1, 8, "\x4D");
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t x = 0; x < 3; ++x) BOOST_TEST(value(one, c, 0, x) == float(x % 2 == 0));
    for (int64_t x = 0; x < 4; ++x) BOOST_TEST(std::abs(value(two, c, 0, x) - float(x) / 3) < 1e-6f);
    BOOST_TEST(std::abs(value(four, c, 0, 0) - 3 / 15.f) < 1e-6f);
    BOOST_TEST(std::abs(value(four, c, 0, 1) - 12 / 15.f) < 1e-6f);
    BOOST_TEST(value(eight, c, 0, 0) == 77 / 255.f);
  }
}

BOOST_AUTO_TEST_CASE(png_16_bit_keeps_its_precision) {
  const Images grey = decode(encode({2, 1, 16, PNG_COLOR_TYPE_GRAY, std::string("\x12\x34\x12\x35", 4)}));
  BOOST_TEST(value(grey, 0, 0, 0) == 0x1234 / 65535.f);
  BOOST_TEST(value(grey, 2, 0, 1) == 0x1235 / 65535.f);
  const Images rgb =
      decode(encode({1, 1, 16, PNG_COLOR_TYPE_RGB, std::string("\xff\xff\x00\x01\x80\x00", 6)}));
  check_pixel(rgb, 0, 0, {1, 1 / 65535., 32768 / 65535.});
}

BOOST_AUTO_TEST_CASE(png_alpha_lies_over_white) {
  const double a = 51 / 255.;  // one fifth
  const Images rgba =
      decode(encode({2, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, std::string("\xff\x00\x64\x33\x00\x00\x00\x00", 8)}));
  check_pixel(rgba, 0, 0, {1, 1 - a, 100 / 255. * a + 1 - a});
  check_pixel(rgba, 0, 1, {1, 1, 1});
  const Images grey = decode(encode({1, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, "\x64\x33"}));
  check_pixel(grey, 0, 0, {100 / 255. * a + 1 - a, 100 / 255. * a + 1 - a, 100 / 255. * a + 1 - a});
  const double deep = 0x3334 / 65535., level = 0x0102 / 65535.;
  const Images deep_grey =
      decode(encode({1, 1, 16, PNG_COLOR_TYPE_GRAY_ALPHA, std::string("\x01\x02\x33\x34", 4)}));
  check_pixel(deep_grey, 0, 0, {level * deep + 1 - deep, level * deep + 1 - deep, level * deep + 1 - deep});
}

BOOST_AUTO_TEST_CASE(png_palette_and_transparent_colours) {
  Png palette{4, 1, 2, PNG_COLOR_TYPE_PALETTE, "\x1B"};  // 0 1 2 3
  palette.palette = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {10, 20, 30}};
  check_pixel(decode(encode(palette)), 0, 0, {1, 0, 0});
  check_pixel(decode(encode(palette)), 0, 3, {10 / 255., 20 / 255., 30 / 255.});
  palette.palette_alpha = {255, 51};
  check_pixel(decode(encode(palette)), 0, 0, {1, 0, 0});
  check_pixel(decode(encode(palette)), 0, 1, {0.8, 1, 0.8});
  check_pixel(decode(encode(palette)), 0, 2, {0, 0, 1});

  Png rgb = rgb_2x2;
  rgb.transparent = png_color_16{0, 4, 5, 6, 0};
  check_pixel(decode(encode(rgb)), 1, 0, {1, 1, 1});
  check_pixel(decode(encode(rgb)), 0, 1, {1 / 255., 2 / 255., 3 / 255.});
}

BOOST_AUTO_TEST_CASE(png_interlaced_is_the_same_image) {
  for (const int type : {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA}) {
    for (const int depth : {8, 16}) {
      const std::size_t channels = type == PNG_COLOR_TYPE_GRAY ? 1 : type == PNG_COLOR_TYPE_RGB ? 3 : 4;
      Png image{13, 11, depth, type, mixed(13 * 11 * channels * std::size_t(depth / 8))};
      const Images straight = decode(encode(image));
      image.interlace = PNG_INTERLACE_ADAM7;
      BOOST_TEST(decode(encode(image)).equal(straight));
    }
  }
}

BOOST_AUTO_TEST_CASE(jpeg_colours) {
  // Even blocks have no rounding but that of the colour transform.
  std::string red, grey(64, char(77));
  for (int i = 0; i < 64; ++i) red += std::string("\xff\x00\x00", 3);
  const Images images = decode(encode_jpeg(8, 8, 3, JCS_RGB, red));
  BOOST_TEST(images.sizes() == (at::IntArrayRef{1, 3, 8, 8}));
  BOOST_TEST(value(images, 0, 4, 4) > 0.98f);
  BOOST_TEST(value(images, 1, 4, 4) < 0.02f);
  BOOST_TEST(value(images, 2, 4, 4) < 0.02f);
  check_pixel(decode(encode_jpeg(8, 8, 1, JCS_GRAYSCALE, grey)), 3, 3, {77 / 255., 77 / 255., 77 / 255.});
  // Stored as RGB, without the transform, the even block comes back exactly.
  const auto as_rgb = [](jpeg_compress_struct& info) { jpeg_set_colorspace(&info, JCS_RGB); };
  check_pixel(decode(encode_jpeg(8, 8, 3, JCS_RGB, red, as_rgb)), 7, 7, {1, 0, 0});
}

BOOST_AUTO_TEST_CASE(jpeg_pixels_are_where_they_were) {
  std::string ramp;
  for (int y = 0; y < 11; ++y) {
    for (int x = 0; x < 19; ++x) ramp += {char(10 * x + 20), char(20 * y + 20), char(5 * x + 8 * y + 20)};
  }
  for (const bool progressive : {false, true}) {
    const Images images =
        decode(encode_jpeg(19, 11, 3, JCS_RGB, ramp,
                           progressive ? use_progressive : std::function<void(jpeg_compress_struct&)>{}));
    BOOST_TEST(images.sizes() == (at::IntArrayRef{1, 3, 11, 19}));
    for (int y = 0; y < 11; ++y) {
      for (int x = 0; x < 19; ++x) {
        BOOST_TEST(std::abs(value(images, 0, y, x) - float(10 * x + 20) / 255) < 0.015f);
        BOOST_TEST(std::abs(value(images, 1, y, x) - float(20 * y + 20) / 255) < 0.015f);
        BOOST_TEST(std::abs(value(images, 2, y, x) - float(5 * x + 8 * y + 20) / 255) < 0.015f);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(jpeg_orientation) {
  // Four even blocks: red, green / blue, white; 32 wide, 16 high.
  std::string pixels;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 32; ++x) {
      pixels += y < 8 ? (x < 16 ? std::string("\xff\0\0", 3) : std::string("\0\xff\0", 3))
                      : (x < 16 ? std::string("\0\0\xff", 3) : std::string("\xff\xff\xff", 3));
    }
  }
  const auto letter = [](const Images& images, int64_t y, int64_t x) {
    const bool r = value(images, 0, y, x) > 0.5f, g = value(images, 1, y, x) > 0.5f;
    return r && g ? 'W' : r ? 'R' : g ? 'G' : 'B';
  };
  // EXIF says on which side of the upright image the stored row 0 and column 0 lie; corners from the top
  // left, row by row. 6: row 0 is on the right, column 0 at the top, so red is at the top right.
  const char* const corners[] = {"RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {true, false}) {
      const Images images = decode(encode_jpeg(32, 16, 3, JCS_RGB, pixels, {}, exif(orientation, little)));
      const int64_t height = orientation >= 5 ? 32 : 16, width = 48 - height;
      BOOST_TEST(images.sizes() == (at::IntArrayRef{1, 3, height, width}));
      const std::string found{letter(images, 0, 0), letter(images, 0, width - 1),
                              letter(images, height - 1, 0), letter(images, height - 1, width - 1)};
      BOOST_TEST(found == corners[orientation - 1]);
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_exif_is_no_orientation) {
  const std::string good = exif(6, true);
  BOOST_TEST(pellucid::detail::exif_orientation(bytes_of(good)) == 6);
  BOOST_TEST(pellucid::detail::exif_orientation(bytes_of(exif(9, true))) == 1);
  BOOST_TEST(pellucid::detail::exif_orientation(bytes_of(exif(0, false))) == 1);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<std::uint8_t> cut(good.begin(), good.begin() + std::ptrdiff_t(size));
    const int found = pellucid::detail::exif_orientation(cut);
    BOOST_TEST((found == 1 || size >= 40));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::vector<std::uint8_t> damaged(good.begin(), good.end());
      damaged[at] = std::uint8_t(damaged[at] ^ change);
      const int found = pellucid::detail::exif_orientation(damaged);
      BOOST_TEST((found >= 1 && found <= 8));
    }
  }
}

BOOST_AUTO_TEST_CASE(refused_by_kind) {
  check_refused(encode_jpeg(8, 8, 4, JCS_CMYK, std::string(256, 'x')), {"CMYK"});
  check_refused(encode_jpeg(8, 8, 4, JCS_CMYK, std::string(256, 'x'),
                            [](jpeg_compress_struct& info) { jpeg_set_colorspace(&info, JCS_YCCK); }),
                {"CMYK"});
  check_refused(encode_jpeg(8, 8, 2, JCS_UNKNOWN, std::string(128, 'x')), {"2 unknown colour channels"});
  check_refused("", {"it is empty"});
  check_refused("hello", {"format is unknown"});
  check_refused("GIF89a..........", {"GIF"});
  check_refused(std::string("RIFF\x10\0\0\0WEBPVP8 ", 16), {"WebP"});
  check_refused(std::string("II*\0\x08\0\0\0", 8), {"TIFF"});
  check_refused(std::string("MM\0*\0\0\0\x08", 8), {"TIFF"});
  check_refused("BM0000000000", {"BMP"});
  check_refused(std::string("\0\0\0\x18"
                            "ftypheic\0\0\0\0",
                            16),
                {"HEIC"});
  check_refused(std::string("\0\0\0\x18"
                            "ftypavif\0\0\0\0",
                            16),
                {"AVIF"});
}

BOOST_AUTO_TEST_CASE(refused_by_size_before_memory_is_asked_for) {
  check_refused(png_of_size(10'001, 10'000), {"10000×10001", "100 megapixels"});
  check_refused(png_of_size(0x7fffffff, 0x7fffffff), {"100 megapixels"});
  check_refused(png_of_size(3000, 2000), {"cut off"});
  std::string jpeg = encode_jpeg(8, 8, 1, JCS_GRAYSCALE, std::string(64, 'x'));
  const std::size_t frame = jpeg.find("\xff\xc0");
  for (std::size_t i = 5; i < 9; ++i) jpeg[frame + i] = char(0xf0);
  check_refused(jpeg, {"61680×61680", "100 megapixels"});
}

BOOST_AUTO_TEST_CASE(a_jpeg_of_endless_scans_is_refused) {
  std::string jpeg = encode_jpeg(16, 16, 3, JCS_RGB, mixed(768), use_progressive);
  BOOST_CHECK_NO_THROW(decode(jpeg));
  // Three scans, one for each component; the last one, sent again, is still a good JPEG.
  static const jpeg_scan_info script[] = {
      {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
  jpeg = encode_jpeg(16, 16, 3, JCS_RGB, mixed(768), [](jpeg_compress_struct& info) {
    info.scan_info = script;
    info.num_scans = 3;
  });
  const std::string scan = jpeg.substr(jpeg.rfind("\xff\xda"), jpeg.size() - 2 - jpeg.rfind("\xff\xda"));
  const auto repeated = [&](int times) {
    std::string file = jpeg.substr(0, jpeg.size() - 2);
    for (int i = 0; i < times; ++i) file += scan;
    return file + "\xff\xd9";
  };
  BOOST_TEST(decode(repeated(20)).equal(decode(jpeg)));
  check_refused(repeated(400), {"scans"});
}

BOOST_AUTO_TEST_CASE(every_prefix_is_refused) {
  Png image{9, 7, 8, PNG_COLOR_TYPE_RGB, mixed(9 * 7 * 3)};
  std::vector<std::string> files{encode(image)};
  image.interlace = PNG_INTERLACE_ADAM7;
  files.push_back(encode(image));
  files.push_back(encode_jpeg(19, 11, 3, JCS_RGB, mixed(19 * 11 * 3), {}, exif(6, true)));
  files.push_back(encode_jpeg(19, 11, 3, JCS_RGB, mixed(19 * 11 * 3), use_progressive));
  for (const std::string& file : files) {
    BOOST_CHECK_NO_THROW(decode(file));
    for (std::size_t size = 0; size < file.size(); ++size) {
      // A copy of exactly that length, so that a read beyond it is seen.
      const std::vector<std::uint8_t> cut(file.begin(), file.begin() + std::ptrdiff_t(size));
      BOOST_CHECK_THROW(decode_image(cut), Error);
    }
    BOOST_CHECK_EXCEPTION(decode_image(bytes_of(file.substr(0, file.size() - 2))), Error, says({"cut off"}));
    BOOST_CHECK_EXCEPTION(decode_image(bytes_of(file.substr(0, file.size() / 2))), Error, says({"cut off"}));
  }
}

BOOST_AUTO_TEST_CASE(single_byte_damage_is_an_error_or_an_image) {
  Png image{9, 7, 8, PNG_COLOR_TYPE_RGB_ALPHA, mixed(9 * 7 * 4)};
  Png palette{9, 1, 8, PNG_COLOR_TYPE_PALETTE, std::string("\0\1\2\0\1\2\0\1\2", 9)};
  palette.palette = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  palette.palette_alpha = {9, 99};
  const auto damage = [](const std::string& file, const std::vector<int>& changes, const auto& check) {
    int refused = 0;
    for (std::size_t at = 0; at < file.size(); ++at) {
      for (const int change : changes) {
        std::vector<std::uint8_t> damaged(file.begin(), file.end());
        damaged[at] = std::uint8_t(damaged[at] ^ change);
        try {
          check(decode_image(damaged));
        } catch (const Error&) {
          ++refused;
        }
      }
    }
    return refused;
  };
  // Every part of a PNG has a checksum: what is not refused is what it was.
  for (const std::string& file : {encode(image), encode(palette)}) {
    const Images whole = decode(file);
    const int refused = damage(file, {1, 2, 4, 8, 16, 32, 64, 128, 255},
                               [&](const Images& images) { BOOST_TEST(images.equal(whole)); });
    BOOST_TEST(refused > int(file.size()) * 8);
  }
  const auto in_range = [](const Images& images) {
    BOOST_REQUIRE(images.defined());
    if (images.numel() > 1'000'000) return;
    BOOST_TEST(images.min().item<float>() >= 0.0f);
    BOOST_TEST(images.max().item<float>() <= 1.0f);
  };
  for (const bool progressive : {false, true}) {
    const std::string file = encode_jpeg(
        19, 11, 3, JCS_RGB, mixed(19 * 11 * 3),
        progressive ? use_progressive : std::function<void(jpeg_compress_struct&)>{}, exif(6, true));
    BOOST_TEST(damage(file, {1, 8, 128, 255}, in_range) > 100);
  }
}

#ifdef __unix__
BOOST_AUTO_TEST_CASE(nothing_is_printed) {
  const TemporaryFolder folder;
  const std::string png = encode(rgb_2x2), jpeg = encode_jpeg(8, 8, 1, JCS_GRAYSCALE, mixed(64));
  const int terminal = dup(2);
  std::FILE* const log = std::fopen((folder.path() / "log").c_str(), "wb");
  dup2(fileno(log), 2);
  for (const std::string& file : {png, jpeg}) {
    for (std::size_t at = 8; at < file.size(); ++at) {
      std::string damaged = file;
      damaged[at] = char(~damaged[at]);
      try {
        decode_image(bytes_of(damaged));
      } catch (const Error&) {
      }
    }
  }
  std::fflush(stderr);
  dup2(terminal, 2);
  close(terminal);
  std::fclose(log);
  BOOST_TEST(contents(folder.path() / "log") == "");
}
#endif

BOOST_AUTO_TEST_CASE(files_are_told_apart_by_content) {
  const TemporaryFolder folder;
  const Images expected = decode(encode(rgb_2x2));
  BOOST_TEST(read_image(folder.put("really.jpg", encode(rgb_2x2))).equal(expected));
  BOOST_TEST(read_image(folder.put("no extension", encode(rgb_2x2))).equal(expected));
  const std::string jpeg = encode_jpeg(8, 8, 1, JCS_GRAYSCALE, mixed(64));
  BOOST_TEST(read_image(folder.put("really.png", jpeg)).equal(decode(jpeg)));

  const auto fails = [&](const std::filesystem::path& path, std::vector<std::string> words) {
    words.push_back(path.string());
    words.push_back("expected a PNG or JPEG image");
    BOOST_CHECK_EXCEPTION(read_image(path), Error, says(words));
  };
  fails(folder.path() / "none.png", {"there is no such file"});
  fails(folder.path(), {"it is a folder"});
  fails(folder.put("empty.png", ""), {"it is empty"});
  fails(folder.put("text.png", "not an image"), {"unknown"});
  fails(folder.put("a.png", "GIF89a and more"), {"GIF"});
  fails(folder.put("cut.jpg", jpeg.substr(0, jpeg.size() / 2)), {"cut off"});
  if (std::filesystem::exists("/dev/zero")) fails("/dev/zero", {"not a regular file"});
}

BOOST_AUTO_TEST_CASE(folders) {
  const TemporaryFolder folder;
  for (const char* name : {"b.PNG", "a.jpeg", "z/c.JPG", "d.txt", "png", ".png", "e.jpg.gz"})
    folder.put(name, "x");
  std::filesystem::create_directory(folder.path() / "folder.png");
  folder.put("good.png", encode(rgb_2x2));
  const auto files = list_images(folder.path());
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.lexically_relative(folder.path()).generic_string());
  const std::vector<std::string> expected = {"a.jpeg", "b.PNG", "good.png", "z/c.JPG"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());

  std::vector<Skipped> skipped;
  int read = 0;
  for (const auto& file : files) read += read_or_skip(file, skipped).has_value();
  BOOST_TEST(read == 1);
  BOOST_REQUIRE_EQUAL(skipped.size(), 3u);
  BOOST_TEST(skipped[0].file == folder.path() / "a.jpeg");
  BOOST_TEST(skipped[0].reason.find("unknown") != std::string::npos);

  BOOST_CHECK_EXCEPTION(list_images(folder.path() / "none"), Error, says({"none", "no such folder"}));
  BOOST_CHECK_EXCEPTION(list_images(folder.path() / "d.txt"), Error, says({"not a folder"}));
}

BOOST_AUTO_TEST_SUITE_END()
