#include <criterion/criterion.h>
#include <inttypes.h>

#include "core/hash.h"

/* Registers keep these hashes: another value here would forget what users have run and which events they saw. */
Test(hash, never_changes) {
  cr_assert_eq(wm_hash(WM_TEXT("")), UINT64_C(0xe503304de0a57cd9), "%016" PRIx64, wm_hash(WM_TEXT("")));
  cr_assert_eq(wm_hash(WM_TEXT("abc")), UINT64_C(0xbeb197593c056f4b), "%016" PRIx64, wm_hash(WM_TEXT("abc")));
  cr_assert_eq(wm_hash(WM_TEXT("12345678")), UINT64_C(0xe1087cd30cdcd014), "%016" PRIx64, wm_hash(WM_TEXT("12345678")));
  cr_assert_eq(wm_hash_pair(WM_TEXT("/journeys"), WM_TEXT("evt-1")), UINT64_C(0x0e67b8ba1871dbae), "%016" PRIx64,
               wm_hash_pair(WM_TEXT("/journeys"), WM_TEXT("evt-1")));
}

Test(hash, a_pair_is_not_its_concatenation) {
  cr_assert_neq(wm_hash_pair(WM_TEXT("a"), WM_TEXT("bc")), wm_hash_pair(WM_TEXT("ab"), WM_TEXT("c")));
  cr_assert_neq(wm_hash_pair(WM_TEXT(""), WM_TEXT("abc")), wm_hash(WM_TEXT("abc")));
  cr_assert_neq(wm_hash_pair(WM_TEXT("a"), WM_TEXT("b")), wm_hash_pair(WM_TEXT("b"), WM_TEXT("a")));
}

Test(hash, no_text_is_an_empty_one) {
  cr_assert_eq(wm_hash(WM_NO_TEXT), wm_hash(WM_TEXT("")));
}
