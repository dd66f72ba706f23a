# Options, optional packages and flags. AUTO uses a package when it is found; ON makes its absence an
# error; OFF ignores it. What was switched off is said in the summary and in `soma info`.

set(SOMA_OPENBLAS AUTO CACHE STRING "OpenBLAS as GEMM backend: AUTO, ON, OFF")
set(SOMA_LAPACK AUTO CACHE STRING "LAPACK through LAPACKE and OpenBLAS: AUTO, ON, OFF")
set(SOMA_MPI AUTO CACHE STRING "MPI ranks: AUTO, ON, OFF")
set(SOMA_PNG AUTO CACHE STRING "PNG images through libpng: AUTO, ON, OFF")
set(SOMA_OPENMP AUTO CACHE STRING "threads inside a process: AUTO, ON, OFF")
option(SOMA_BUILD_TESTS "build the tests" ON)
option(SOMA_BUILD_BENCH "build the benchmarks" ON)
option(SOMA_CORE_ONLY "soma_core and isa_hashes alone: needs no package, for cross builds" OFF)
option(SOMA_WERROR "treat warnings as errors" OFF)
set(SOMA_SANITIZE "" CACHE STRING "sanitizers, for example address,undefined or thread")

# soma_optional(NAME found-variable): decides SOMA_HAVE_<NAME> from SOMA_<NAME> and a package's result.
function(soma_optional name found)
  set(wish ${SOMA_${name}})
  set(have OFF)
  if(NOT wish STREQUAL "OFF" AND ${found})
    set(have ON)
  elseif(wish STREQUAL "ON")
    message(FATAL_ERROR "SOMA_${name}=ON but it was not found; run tools/setup.sh or use AUTO or OFF")
  endif()
  set(SOMA_HAVE_${name} ${have} PARENT_SCOPE)
endfunction()

if(SOMA_CORE_ONLY)
  foreach(name OPENBLAS LAPACK MPI PNG)
    set(SOMA_${name} OFF)
  endforeach()
else()
  find_package(ZLIB REQUIRED)
  find_package(nlohmann_json 3.7 REQUIRED)
  find_package(CLI11 REQUIRED)
endif()
if(NOT SOMA_OPENMP STREQUAL "OFF")
  find_package(OpenMP COMPONENTS CXX)
endif()
soma_optional(OPENMP OpenMP_CXX_FOUND)
if(NOT SOMA_PNG STREQUAL "OFF")
  find_package(PNG)
endif()
soma_optional(PNG PNG_FOUND)
if(NOT SOMA_MPI STREQUAL "OFF")
  find_package(MPI COMPONENTS CXX)
endif()
soma_optional(MPI MPI_CXX_FOUND)
if(NOT SOMA_OPENBLAS STREQUAL "OFF")
  find_package(PkgConfig)
  if(PkgConfig_FOUND)
    pkg_check_modules(OPENBLAS IMPORTED_TARGET openblas)
  endif()
endif()
soma_optional(OPENBLAS OPENBLAS_FOUND)
set(lapack_found OFF)  # its BLAS must be one that can be told to run on one thread
if(SOMA_HAVE_OPENBLAS AND NOT SOMA_LAPACK STREQUAL "OFF")
  pkg_check_modules(LAPACKE IMPORTED_TARGET lapacke)
  set(lapack_found ${LAPACKE_FOUND})
endif()
soma_optional(LAPACK lapack_found)

foreach(name OPENMP MPI OPENBLAS LAPACK PNG)
  message(STATUS "soma: ${name} ${SOMA_HAVE_${name}}")
endforeach()

# Flags of every unit of the library. Contraction is off: an FMA stands only where it is written
# (kernels.md 6.3), or the bits would depend on the compiler.
add_library(soma_flags INTERFACE)
target_compile_options(soma_flags INTERFACE -ffp-contract=off -fno-math-errno
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow -Wno-unknown-pragmas)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # restrict: GCC 12 warns about std::string's own operator+ at -O3 (GCC bug 105651).
  # maybe-uninitialized: and about its own AVX-512 intrinsics (GCC bug 105593).
  target_compile_options(soma_flags INTERFACE -Wno-psabi -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(SOMA_WERROR)
  target_compile_options(soma_flags INTERFACE -Werror)
endif()
if(SOMA_SANITIZE)
  # Null pointers are caught when they are used; these checks of every access are a quarter of the
  # time to compile.
  if(SOMA_SANITIZE MATCHES undefined)
    set(unsanitized -fno-sanitize=null,object-size,vptr)
  endif()
  # Line tables only: variable tracking doubles the time to compile an ISA unit.
  target_compile_options(soma_flags INTERFACE -g1 -fsanitize=${SOMA_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer ${unsanitized})
  target_link_options(soma_flags INTERFACE -fsanitize=${SOMA_SANITIZE})
endif()

# Optimisation: the library at -O3. Programs and tests only call it and go one level down each way:
# they are half of what is compiled, and little of what is executed.
set(CMAKE_CXX_FLAGS_RELEASE "-O3")  # no -DNDEBUG: soma has no assert on input, tests keep theirs
set(caller_level -O1)
if(SOMA_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1")
  set(caller_level -O0)
endif()
add_library(soma_caller_flags INTERFACE)
target_link_libraries(soma_caller_flags INTERFACE soma_flags)
target_compile_options(soma_caller_flags INTERFACE ${caller_level})

# soma_precompile(target header): the header, which takes longer to read than the sources that include
# it, is read once. Not with a compiler launcher: ccache keeps nothing that used such a header.
function(soma_precompile target header)
  if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
    target_precompile_headers(${target} PRIVATE ${header})
  endif()
endfunction()

# Under sanitizers the generic unit may use the FMA instruction of this machine: the bits are those
# of fma() in libm, and the tests of the kernels take a quarter of the time.
set(generic_fma "")
if(SOMA_SANITIZE AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT CMAKE_CROSSCOMPILING)
  include(CheckCXXSourceRuns)
  check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"fma\") ? 0 : 1; }"
    SOMA_CPU_HAS_FMA)
  if(SOMA_CPU_HAS_FMA)
    set(generic_fma -mfma)
  endif()
endif()

# soma_isa_flags(file out): the flags of src/kernels/isa/<isa>.cpp.
function(soma_isa_flags file out)
  get_filename_component(isa ${file} NAME_WE)
  set(flags_generic ${generic_fma})
  set(flags_avx2 -mavx2 -mfma)
  set(flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
  set(flags_neon "")
  set(flags ${flags_${isa}})
  # One source makes all ISA units: the generic one is checked for undefined behaviour for them all,
  # which doubles the time to compile a vector unit and to run it.
  if(SOMA_SANITIZE AND NOT isa STREQUAL "generic")
    list(APPEND flags -fno-sanitize=undefined)
  endif()
  set(${out} ${flags} PARENT_SCOPE)
endfunction()

# soma_add_library(target name SOURCES ... ISA ...): a library whose ISA units get their own flags.
# -O2 for ISA units: at -O3 GCC 12 compiles each k loop twice (kernels.md 2.8); -O1 under sanitizers.
# -fno-exceptions: kernels are noexcept, and the personality routine would be a shared symbol.
function(soma_add_library target export_name)
  cmake_parse_arguments(arg "" "" "SOURCES;ISA" ${ARGN})
  add_library(${target} ${arg_SOURCES} ${arg_ISA})
  add_library(soma::${export_name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${export_name})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:soma_flags>)
  if(SOMA_HAVE_OPENMP)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
  endif()
  set(level -O2)
  if(SOMA_SANITIZE)
    set(level -O1)
  endif()
  foreach(file ${arg_ISA})
    soma_isa_flags(${file} flags)
    set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${level};-fno-exceptions;-Wno-uninitialized;${flags}")
  endforeach()
endfunction()
