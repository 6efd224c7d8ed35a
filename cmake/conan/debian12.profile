# Debian 12's compiler, and Debian 12's packages in the place of Conan's:
#   libtorch-dev librandom123-dev libpng-dev libjpeg62-turbo-dev libstb-dev libxtensor-dev rapidjson-dev ninja-build
[settings]
os=Linux
arch={{ detect_api.detect_arch() }}
build_type=Release
compiler=gcc
compiler.version=12
compiler.libcxx=libstdc++11
compiler.cppstd=20

[conf]
tools.cmake.cmaketoolchain:generator=Ninja
tools.build:compiler_executables={"cpp": "g++-12"}

[platform_requires]
libtorch/1.13.1
random123/1.14.0
libpng/1.6.39
libjpeg-turbo/2.1.5
stb/cci.20220909
xtensor/0.24.3
rapidjson/1.1.0
