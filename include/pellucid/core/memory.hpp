#pragma once
#include <cstdlib>  // tells whose C library this is

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace pellucid {

/// Keeps the memory that LibTorch's operators give back for those that follow, which otherwise goes to the
/// system, and comes from it, filled with zeros, for every large tensor: up to a third of the time on a CPU.
/// For a whole program, called once, at its beginning. Its memory falls no more between two calls; its peak
/// is about the same.
///
///   int main() { pellucid::keep_freed_memory(); … }
///
/// Of the C library GNU's; elsewhere it does nothing.
inline void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);              // large tensors come from the heap…
  mallopt(M_TRIM_THRESHOLD, 1 << 30);  // …which keeps its end, up to a gigabyte,
  mallopt(M_TOP_PAD, 1 << 26);         // and grows by much at once
#endif
}

}  // namespace pellucid
