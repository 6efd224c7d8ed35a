// A TorchScript file, explained by the process that runs it.
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

/// Writes a small TorchScript file; in Python it is torch.jit.script(model).save("model.pt"), and
/// export_torchscript.py does that for the networks of torchvision and timm.
void write_model(const std::string& file) {
  torch::jit::Module convolution("Convolution"), network("Network");
  convolution.register_parameter("weight", torch::randn({4, 3, 3, 3}), false);
  convolution.define("def forward(self, x):\n    return torch.conv2d(x, self.weight).relu()\n");
  network.register_module("convolution", convolution);
  network.register_parameter("classifier", torch::randn({4, 1000}), false);
  network.define(
      "def forward(self, x):\n"
      "    return torch.matmul(self.convolution.forward(x).mean([2, 3]), self.classifier)\n");
  network.save(file);
}

int main(int count, char** arguments) {
  torch::manual_seed(1);
  // A file and a photo from the command line, or a network without training and noise.
  if (count < 3) {
    write_model("model.pt");
    write_png("photo.png", to_picture(torch::rand({1, 3, 300, 400})));
  }
  auto model = load_script(count < 3 ? "model.pt" : arguments[1], imagenet());
  const Images images = read_image(count < 3 ? "photo.png" : arguments[2]);

  for (const LayerInfo& layer : model.layers(images)) std::cout << layer.name << ": " << layer.kind << "\n";
  const Prediction said = predict(model, images)[0][0];
  std::cout << "class " << said.label << " with probability " << said.probability << "\n";

  auto why = Attribution<GradCAM>() | Overlay{} | SavePng{"why.png"};
  why(model, images, Class{said.label});
}
