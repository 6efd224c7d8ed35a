#include <pellucid/pellucid.hpp>

pellucid::Images a_second_file();

int main() {
  return a_second_file().sum().item<float>() == 3.0f ? 0 : 1;
}
