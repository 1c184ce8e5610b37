# Targets that look at the source: format-check, format, tidy, cppcheck.
file(GLOB_RECURSE ASND_C CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.[ch] ${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/tests/*.[ch])
file(GLOB_RECURSE ASND_SRC CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.c)
find_program(CLANG_FORMAT clang-format)
find_program(CLANG_TIDY clang-tidy)
find_program(CPPCHECK cppcheck)
if(CLANG_FORMAT)
  add_custom_target(format-check COMMAND ${CLANG_FORMAT} --dry-run --Werror ${ASND_C} VERBATIM)
  add_custom_target(format COMMAND ${CLANG_FORMAT} -i ${ASND_C} VERBATIM)
endif()
if(CLANG_TIDY)
  add_custom_target(tidy COMMAND ${CLANG_TIDY} --quiet -p ${PROJECT_BINARY_DIR} ${ASND_SRC} VERBATIM)
endif()
if(CPPCHECK)
  # Left to others, who know better: uninitialised variables (both compilers, clang's analyser) and NULL as a sentinel (POSIX wants it a
  # pointer). jansson's loop macro is spelt out, since cppcheck does not read system headers.
  add_custom_target(cppcheck COMMAND ${CPPCHECK} --quiet --enable=warning,performance,portability --std=c11 --error-exitcode=1
    --inline-suppr -I ${PROJECT_SOURCE_DIR}/include -D_GNU_SOURCE --suppress=missingIncludeSystem --suppress=uninitvar --suppress=varFuncNullUB
    --library=${PROJECT_SOURCE_DIR}/cmake/cppcheck.cfg ${PROJECT_SOURCE_DIR}/src VERBATIM)
endif()
