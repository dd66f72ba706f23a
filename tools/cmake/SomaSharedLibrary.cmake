# soma_add_shared_library(target SOURCES ... MAP file): a shared library over the kernels for
# programs that do not link soma.
#
# It holds the objects of core and kernels that soma_core is made of, compiled once, but never the
# OpenBLAS backend: it needs no library beyond those of the compiler. The version script MAP lists
# what it exports; tools/check_exports.sh compares.
function(soma_add_shared_library target)
  cmake_parse_arguments(arg "" "MAP" "SOURCES" ${ARGN})
  set(objects $<TARGET_OBJECTS:soma_core>)
  set(objects $<FILTER:${objects},INCLUDE,/src/core/|/src/kernels/>)
  set(objects $<FILTER:${objects},EXCLUDE,/backend_>)
  add_library(${target} SHARED ${arg_SOURCES} src/kernels/backend_none.cpp ${objects})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:soma_flags>)
  if(SOMA_HAVE_OPENMP)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
  endif()
  set(map ${PROJECT_SOURCE_DIR}/${arg_MAP})
  target_link_options(${target} PRIVATE -Wl,--version-script=${map})
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${map})
endfunction()
