# soma: a thin front end over CMake. `make demo` and `make test` are all a fresh Debian machine needs.
#
#   make demo     install what is missing, build, train the 1989 digit network over two ranks
#   make test     install what is missing, build everything, run every test
#   make all      build everything
#   make bench    build and run the benchmarks; RIVALS=DIRS: libraries to measure against
#   make data     fetch the light data sets into ./data
#   make asan     tests under the address and undefined-behaviour sanitizers
#   make tsan     thread tests under the thread sanitizer (clang)
#   make mpich-test  tests of real ranks over MPICH, in a build of its own
#   make neon-test  NEON kernels under emulation: the bits of this machine
#   make smpi     soma_step, a training step on simulated hosts (tools/simulate.sh): needs libsimgrid-dev
#   make format   clang-format every tracked source;  make tidy: clang-tidy
#   make install  [PREFIX=/usr/local] [DESTDIR=]      make clean: remove the build folders
#
# Variables: BUILD (folder), JOBS, PREFIX, CMAKE_FLAGS (for example -DSOMA_MPI=OFF), RANKS (of demo).

MAKEFLAGS += --no-print-directory
BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
RANKS ?= 2
CMAKE_FLAGS ?=
CMAKE_ALL = $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache) $(CMAKE_FLAGS)
BUILD_WITH = cmake --build $(1) --parallel $(JOBS)
CTEST = ctest --output-on-failure --no-tests=error --parallel $(JOBS)
SOURCES = $(shell git ls-files '*.h' '*.cpp' '*.inl')

.PHONY: default setup configure all demo test bench data asan tsan mpich-test neon-test smpi format tidy install clean
default: all

setup:
	@tools/setup.sh

configure:
	@cmake -S . -B $(BUILD) $(CMAKE_ALL) -DCMAKE_INSTALL_PREFIX=$(PREFIX)

all: configure
	@$(call BUILD_WITH,$(BUILD))

demo: setup
	@$(MAKE) configure
	@$(call BUILD_WITH,$(BUILD)) --target soma_tool
	@tools/ranks.sh $(RANKS) $(BUILD)/soma train lecun1989

test: setup
	@$(MAKE) all
	@cd $(BUILD) && $(CTEST)

bench: setup
	@$(MAKE) configure
	@$(call BUILD_WITH,$(BUILD)) --target benchmarks
	@for what in peak accuracy gemm conv; do \
	  $(BUILD)/soma bench $$what $(if $(RIVALS),--rivals $(RIVALS)) || [ $$? -eq 1 ] || exit 1; done
	@for program in $(BUILD)/bench/bench_*; do [ ! -x "$$program" ] || "$$program" || exit 1; done

data:
	@tools/fetch_data.sh light

asan: setup
	@cmake -S . -B $(BUILD)-asan $(CMAKE_ALL) -DSOMA_SANITIZE=address,undefined \
	  -DSOMA_BUILD_BENCH=OFF
	@$(call BUILD_WITH,$(BUILD)-asan)
	@cd $(BUILD)-asan && $(CTEST)

# Clang and its own OpenMP runtime, which the thread sanitizer understands through archer. GCC's
# runtime synchronises with futexes that the sanitizer cannot see.
tsan: setup
	@cmake -S . -B $(BUILD)-tsan $(CMAKE_ALL) -DCMAKE_CXX_COMPILER=clang++ \
	  -DSOMA_SANITIZE=thread -DSOMA_OPENBLAS=OFF -DSOMA_MPI=OFF -DSOMA_BUILD_BENCH=OFF
	@$(call BUILD_WITH,$(BUILD)-tsan) --target test_core test_dist test_train
	@cd $(BUILD)-tsan && TSAN_OPTIONS=ignore_noninstrumented_modules=1 $(CTEST) -R '^(core|dist|train)\.'

# Debian installs MPICH beside Open MPI, which stays the default.
mpich-test:
	@tools/setup.sh mpich libmpich-dev
	@cmake -S . -B $(BUILD)-mpich $(CMAKE_ALL) -DSOMA_MPI=ON -DMPI_CXX_COMPILER=mpicxx.mpich \
	  -DMPIEXEC_EXECUTABLE=$$(command -v mpiexec.mpich) -DSOMA_BUILD_BENCH=OFF
	@$(call BUILD_WITH,$(BUILD)-mpich) --target mpi_program
	@cd $(BUILD)-mpich && $(CTEST) -R '^dist\.mpi_'

neon-test:
	@tools/setup.sh g++-aarch64-linux-gnu qemu-user
	@tools/neon_test.sh $(BUILD)-neon $(CMAKE_ALL)

smpi:
	@command -v smpicxx >/dev/null || { echo "make smpi: smpicxx not found; apt install libsimgrid-dev" >&2; exit 2; }
	@SMPI_PRETEND_CC=1 cmake -S . -B $(BUILD)/smpi -DCMAKE_CXX_COMPILER=smpicxx -DSOMA_SMPI=ON
	@$(call BUILD_WITH,$(BUILD)/smpi) --target soma_step

format:
	@clang-format -i $(SOURCES)

tidy: configure
	@clang-tidy --quiet -p $(BUILD) $(filter src/%.cpp tools/%.cpp,$(SOURCES))

install: all
	@cmake --install $(BUILD)

clean:
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-mpich
