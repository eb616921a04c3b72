"""Makes paired.json, what scipy says of paired accuracies: python paired.py > paired.json

Without ties scipy.stats.wilcoxon's exact distribution is used, with them the
permutation distribution of the signed mean ranks, both with zeros dropped. The
corrected t test is Nadeau & Bengio's formula with scipy.stats.t.
"""
import json
import sys

import numpy as np
import scipy
from scipy import stats


def permutation(d, alternative):
    d = d[d != 0]
    ranks = stats.rankdata(np.round(np.abs(d), 12))
    signed = np.sign(d) * ranks
    return stats.permutation_test((signed,), lambda x: np.sum(x[x > 0]), permutation_type="samples",
                                  n_resamples=np.inf, vectorized=False, alternative=alternative).pvalue


def wilcoxon(d, alternative):
    d = np.round(d, 12)
    nonzero = np.abs(d[d != 0])
    if len(set(nonzero)) == len(nonzero):
        return stats.wilcoxon(d[d != 0], zero_method="wilcox", method="exact", alternative=alternative).pvalue
    return permutation(d, alternative)


def corrected(d, share):
    n = len(d)
    return d.mean() / np.sqrt((1 / n + share) * d.var(ddof=1))


cases = []
rng = np.random.default_rng(7)
for n, clips in [(3, 97), (5, 60), (6, 20), (8, 1000), (10, 40), (10, 500), (10, 12), (12, 15)]:
    a = rng.binomial(clips, 0.85, n) / clips
    b = rng.binomial(clips, 0.80, n) / clips
    d, share = a - b, 1 / (n - 1)
    t = corrected(d, share)
    cases.append(dict(
        unpruned=a.tolist(), other=b.tolist(), test_share=share, margin=0.02,
        wilcoxon=dict(worse=wilcoxon(d, "greater"), differs=wilcoxon(d, "two-sided"),
                      not_inferior=wilcoxon(0.02 - d, "greater")),
        corrected_t=dict(worse=stats.t.sf(t, n - 1), differs=2 * stats.t.sf(abs(t), n - 1),
                         not_inferior=stats.t.sf(corrected(0.02 - d, share), n - 1))))
json.dump(dict(made_by="python paired.py > paired.json", scipy=scipy.__version__, cases=cases), sys.stdout, indent=1)
print()
