# cmake -DASND=PROGRAM -DIN=FILE -DOUT=FILE -P manual.cmake: the manual of the settings, from what the program says of them.
execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=ASND_CONFIG ${ASND} config --mdoc OUTPUT_VARIABLE SETTINGS COMMAND_ERROR_IS_FATAL ANY)
configure_file(${IN} ${OUT} @ONLY)
