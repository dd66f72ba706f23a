# Installs soma from BUILD into a fresh prefix and builds the consumer in SOURCE against it, once
# through find_package and once through pkg-config.
set(prefix ${BUILD}/package-test/prefix)
set(work ${BUILD}/package-test/consumer)
file(REMOVE_RECURSE ${BUILD}/package-test)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${code}:\n${out}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${work} -DCMAKE_PREFIX_PATH=${prefix}
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_BUILD_TYPE=Debug)
run(${CMAKE_COMMAND} --build ${work})
run(${work}/consumer)
run(${work}/core_consumer)
run(${prefix}/bin/soma --version)

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
  file(GLOB_RECURSE pc ${prefix}/*/soma.pc)
  get_filename_component(pc_folder ${pc} DIRECTORY)
  run(sh -c "PKG_CONFIG_PATH=${pc_folder} ${COMPILER} ${FLAGS} -o ${work}/by_pkg_config \
    ${SOURCE}/consumer.cpp $(PKG_CONFIG_PATH=${pc_folder} ${PKG_CONFIG} \
    --define-variable=prefix=${prefix} --cflags --libs soma)")
  run(${work}/by_pkg_config)
  run(sh -c "PKG_CONFIG_PATH=${pc_folder} ${COMPILER} ${FLAGS} -x c -o ${work}/c_consumer \
    ${SOURCE}/c_consumer.c $(PKG_CONFIG_PATH=${pc_folder} ${PKG_CONFIG} \
    --define-variable=prefix=${prefix} --cflags --libs soma_c)")
  get_filename_component(library_folder ${pc_folder} DIRECTORY)
  run(${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${library_folder} ${work}/c_consumer)
endif()
