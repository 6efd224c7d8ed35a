import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class Pellucid(ConanFile):
    name = "pellucid"
    description = "See inside the vision models you run with LibTorch"
    license = "MIT"
    topics = "libtorch", "explainability", "saliency", "adversarial-attacks", "header-only"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # core_only: pellucid::core alone, which needs LibTorch and Random123 and nothing else.
    options = {"core_only": [True, False]}
    default_options = {"core_only": False}
    exports_sources = "include/*", "cmake/*", "CMakeLists.txt", "LICENSE"
    no_copy_source = True

    def set_version(self):
        project = load(self, os.path.join(self.recipe_folder, "CMakeLists.txt"))
        self.version = re.search(r"project\(pellucid VERSION (\S+)", project).group(1)

    def requirements(self):
        packages = ["libtorch/[>=1.13.1 <3]", "random123/[>=1.14 <2]"]
        if not self.options.core_only:
            packages += [
                "libpng/[>=1.6 <2]",
                "libjpeg-turbo/[>=2.1 <4]",
                "stb/[>=cci.20220909]",
                "xtensor/[>=0.24 <1]",
                "rapidjson/[>=1.1.0 <2]",
            ]
        for package in packages:
            self.requires(package, transitive_headers=True, transitive_libs=True)

    def validate(self):
        check_min_cppstd(self, 20)

    # The headers are the same for every compiler and every option.
    def package_id(self):
        self.info.clear()

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["PELLUCID_TESTS"] = False
        toolchain.cache_variables["PELLUCID_EXAMPLES"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "share", "doc"))

    # The targets are those of the CMake package, which knows best: Conan makes none of its own.
    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "pellucid")]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
