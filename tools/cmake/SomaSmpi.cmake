# soma_step for SimGrid's SMPI: configured with CMAKE_CXX_COMPILER=smpicxx (`make smpi`). Messages and
# clocks only, so the library's other layers are not built. SMPI gives each rank its own globals by
# loading the program once a rank, hence everything is linked into it.
find_package(CLI11 REQUIRED)
add_executable(soma_step
  bench/spread.cpp
  bench/step.cpp
  bench/step_models.cpp
  src/core/clock.cpp
  src/core/cpu.cpp
  src/core/hash.cpp
  src/core/parallel_serial.cpp
  src/core/poll.cpp
  src/core/rng.cpp
  src/core/text.cpp
  src/dist/abort.cpp
  src/dist/buckets.cpp
  src/dist/collectives.cpp
  src/dist/comm.cpp
  src/dist/comm_mpi.cpp
  src/dist/comm_self.cpp
  src/dist/data_parallel.cpp
  src/dist/planner.cpp
  src/dist/progress.cpp
  src/dist/schedule.cpp
  src/dist/shards.cpp
  tools/cli/step_report.cpp
  tools/cli/text_table.cpp
  tools/simulate_step.cpp)
target_include_directories(soma_step PRIVATE include src tools .)
# malloc, free and the like would be macros, which C++ headers do not survive.
target_compile_definitions(soma_step PRIVATE SMPI_NO_OVERRIDE_MALLOC)
target_compile_options(soma_step PRIVATE -Wall -Wextra -Wno-restrict)
target_link_libraries(soma_step PRIVATE CLI11::CLI11)
