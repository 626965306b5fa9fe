#ifndef EDGETWIN_CGSL_SHIM_H
#define EDGETWIN_CGSL_SHIM_H

#include <gsl/gsl_blas.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_multifit.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_qrng.h>
#include <gsl/gsl_statistics_double.h>
#include <gsl/gsl_vector.h>

// GSL exposes its algorithms as global variables, which Swift 6 takes for shared mutable state:
// they are handed out by functions.
static inline const gsl_multifit_robust_type *edgetwin_robust_huber(void) {
  return gsl_multifit_robust_huber;
}
static inline const gsl_multifit_robust_type *edgetwin_robust_bisquare(void) {
  return gsl_multifit_robust_bisquare;
}
static inline const gsl_multifit_nlinear_type *edgetwin_nlinear_trust(void) {
  return gsl_multifit_nlinear_trust;
}
static inline const gsl_multifit_nlinear_trs *edgetwin_nlinear_lm(void) {
  return gsl_multifit_nlinear_trs_lm;
}
static inline const gsl_qrng_type *edgetwin_qrng_sobol(void) { return gsl_qrng_sobol; }
static inline const gsl_qrng_type *edgetwin_qrng_halton(void) { return gsl_qrng_halton; }

// The default handler aborts the process; every caller checks the return code instead.
static inline void edgetwin_gsl_error_handler_off(void) { gsl_set_error_handler_off(); }

#endif
