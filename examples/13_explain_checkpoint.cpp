// A checkpoint that Python saved, explained: no export, and no architecture to write down.
#include <iomanip>
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: 13_explain_checkpoint CHECKPOINT PICTURE\n";
    return 2;
  }
  try {
    // The networks of examples/shapes/networks see 64×64 pixels; those of torchvision take imagenet().
    const auto model = load<VGG>(arguments[1], {.resize = 64, .crop = 64});
    const Images image = read_image(arguments[2]);

    const std::vector<Prediction> first = predict(model, image, 3)[0];
    for (const Prediction& said : first)
      std::cout << "class " << said.label << ": " << std::fixed << std::setprecision(1)
                << 100 * said.probability << " %\n";

    auto fine = Attribution<SmoothGrad>() | Overlay{};
    auto coarse = Attribution<GradCAM>() | Overlay{};
    write_png("why.png", contact_sheet({{to_picture(image), "the picture"},
                                        {fine(model, image), "SmoothGrad"},
                                        {coarse(model, image), "Grad-CAM"}},
                                       {.columns = 3}));
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
