// The lines of README.md. They run where 02_explain_torchscript left its files.
#include <pellucid/pellucid.hpp>
using namespace pellucid;

int main() {
  auto model = load_script("model.pt", imagenet());  // or adapt(my_module, imagenet())

  auto why = Attribution<SmoothGrad>({.samples = 50}) | Overlay{} | SavePng{"why.png"};
  why(model, read_image("photo.png"));  // why did it say that?

  auto fooled =
      Attack<FGSM>({.epsilon = 4.0 / 255}) | Attribution<GradCAM>() | Overlay{} | SavePng{"fooled.png"};
  fooled(model, read_image("photo.png"), Class{207});  // attack it, then look again
}
