# soma_embed(out folder files...): one C++ unit per file, written by the host tool tools/embed_data.
# A cross build runs the tool through CMAKE_CROSSCOMPILING_EMULATOR.
add_executable(embed_data ${CMAKE_CURRENT_LIST_DIR}/../embed_data.cpp)

function(soma_embed out folder)
  set(units "")
  foreach(file ${ARGN})
    set(data ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${file})
    set(unit ${CMAKE_CURRENT_BINARY_DIR}/embedded/${file}.cpp)
    add_custom_command(OUTPUT ${unit}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/embedded
      COMMAND embed_data ${data} ${unit}
      DEPENDS embed_data ${data} COMMENT "embedding ${file}" VERBATIM)
    # A literal longer than the standard's minimum of 65,536 characters is fine with every compiler.
    set_source_files_properties(${unit} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
    list(APPEND units ${unit})
  endforeach()
  set(${out} ${units} PARENT_SCOPE)
endfunction()
