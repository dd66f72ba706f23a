# The program `soma` and what it can say about its build. Everything but main() is a library, so
# that tests call it.

function(soma_feature_text name version)
  set(text "")
  if(SOMA_HAVE_${name})
    set(text "${version}")
  endif()
  set(SOMA_${name}_TEXT "${text}" PARENT_SCOPE)
endfunction()

soma_feature_text(MPI "MPI ${MPI_CXX_VERSION}")
soma_feature_text(OPENMP "OpenMP ${OpenMP_CXX_VERSION}")
soma_feature_text(OPENBLAS "OpenBLAS ${OPENBLAS_VERSION}")
soma_feature_text(LAPACK "LAPACKE ${LAPACKE_VERSION}")

# The commit when there is a checkout; an archive has none.
set(SOMA_COMMIT "release ${PROJECT_VERSION}")
find_package(Git QUIET)
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE commit
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(commit)
    set(SOMA_COMMIT "commit ${commit}")
  endif()
endif()
configure_file(${PROJECT_SOURCE_DIR}/tools/cli/build_info.h.in
  ${PROJECT_BINARY_DIR}/generated/cli/build_info.h @ONLY)

add_library(soma_cli STATIC ${cli_sources})
target_include_directories(soma_cli PUBLIC ${PROJECT_SOURCE_DIR}/tools
  ${PROJECT_BINARY_DIR}/generated)
# The roofline is drawn by the frame that run folders use (src/train/plot.h).
set_source_files_properties(tools/cli/bench_roofline.cpp PROPERTIES
  INCLUDE_DIRECTORIES ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(soma_cli PUBLIC soma soma_bench CLI11::CLI11 nlohmann_json::nlohmann_json
  PRIVATE soma_caller_flags)
soma_precompile(soma_cli <CLI/CLI.hpp>)

add_executable(soma_tool tools/soma.cpp)
set_target_properties(soma_tool PROPERTIES OUTPUT_NAME soma)
target_link_libraries(soma_tool PRIVATE soma_cli soma_caller_flags)
