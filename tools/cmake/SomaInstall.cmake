# `cmake --install`: headers, libraries, the program, a CMake package and a pkg-config file.
#
#   find_package(soma REQUIRED)           targets soma::core (tensors to optimizers, standard library
#   target_link_libraries(x soma::soma)   only), soma::soma (with data, ranks, training, systems),
#                                         and the shared soma::c (soma_c.h) and soma::blas
#
# The libraries are static: what they were built with must be there when a user links them, so the
# package finds the same optional packages again.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/soma)
install(TARGETS soma_core soma EXPORT soma_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS soma_blas soma_c EXPORT soma_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS soma_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/soma DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT soma_targets NAMESPACE soma:: DESTINATION ${package_folder})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/somaConfig.cmake.in
  ${PROJECT_BINARY_DIR}/somaConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/somaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/somaConfig.cmake ${PROJECT_BINARY_DIR}/somaConfigVersion.cmake
  DESTINATION ${package_folder})

# pkg-config knows OpenBLAS, LAPACKE, zlib and libpng by name; MPI and OpenMP are given as libraries.
set(SOMA_PC_REQUIRES "zlib")
if(SOMA_HAVE_PNG)
  string(APPEND SOMA_PC_REQUIRES " libpng")
endif()
if(SOMA_HAVE_OPENBLAS)
  string(APPEND SOMA_PC_REQUIRES " openblas")
endif()
if(SOMA_HAVE_LAPACK)
  string(APPEND SOMA_PC_REQUIRES " lapacke")
endif()
set(SOMA_PC_LIBS "")
foreach(library ${OpenMP_CXX_LIBRARIES})
  if(SOMA_HAVE_OPENMP)
    string(APPEND SOMA_PC_LIBS " ${library}")
  endif()
endforeach()
foreach(library ${MPI_CXX_LIBRARIES})
  if(SOMA_HAVE_MPI)
    string(APPEND SOMA_PC_LIBS " ${library}")
  endif()
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/soma.pc.in ${PROJECT_BINARY_DIR}/soma.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/soma.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# soma_pkg_config(library description): <library>.pc of a shared library, which needs no other.
function(soma_pkg_config SOMA_SHARED SOMA_SHARED_DESCRIPTION)
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/soma_shared.pc.in
    ${PROJECT_BINARY_DIR}/${SOMA_SHARED}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${SOMA_SHARED}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
soma_pkg_config(soma_c "products and convolutions of soma in C")
soma_pkg_config(soma_blas "gemm and gemv of BLAS on the kernels of soma")
