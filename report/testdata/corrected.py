"""Makes corrected.json, what scipy, statsmodels and scikit-learn say of folds:
python corrected.py > corrected.json

The interval of the corrected t test is Nadeau & Bengio's standard error times scipy's
quantile of t; its smallest loss of power 0.8 solves scipy's noncentral t. The interval of
the signed-rank test inverts scipy.stats.wilcoxon. Holm is statsmodels'.
"""
import json
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import optimize, stats
from sklearn import metrics
from statsmodels.stats.multitest import multipletests

POWER = 0.8


def signed_rank_interval(d, tail):
    """All shifts that neither one-sided test rejects at tail, found among Walsh averages."""
    walsh = np.sort([(d[i] + d[j]) / 2 for i in range(len(d)) for j in range(i, len(d))])

    def kept(shift):
        e = d - shift
        return min(stats.wilcoxon(e, method="exact", alternative=a).pvalue for a in ("greater", "less")) > tail

    middles = (walsh[1:] + walsh[:-1]) / 2
    inside = [kept(m) for m in middles]
    if kept(walsh[0] - 1) or kept(walsh[-1] + 1):
        return None
    first, last = inside.index(True), len(inside) - 1 - inside[::-1].index(True)
    return [walsh[first], walsh[last + 1]]


rng = np.random.default_rng(15)
cases = []
for n, share, level in [(2, 0.5, 0.05), (5, 0.25, 0.05), (6, 0.2, 0.05), (8, 0.31, 0.1), (10, 1 / 9, 0.05), (10, 1 / 9, 0.01), (30, 1 / 9, 0.05)]:
    a, b = rng.normal(0.85, 0.03, n), rng.normal(0.82, 0.05, n)
    d = a - b
    se = np.sqrt((1 / n + share) * d.var(ddof=1))
    critical = stats.t.ppf(1 - level, n - 1)
    shift = optimize.brentq(lambda x: stats.nct.sf(critical, n - 1, x) - POWER, 1e-3, 300, xtol=1e-13)
    cases.append(dict(
        unpruned=a.tolist(), other=b.tolist(), test_share=share, level=level,
        interval=[d.mean() - stats.t.ppf(1 - level / 2, n - 1) * se, d.mean() + stats.t.ppf(1 - level / 2, n - 1) * se],
        bound=d.mean() + critical * se, detectable=shift * se,
        signed_rank_interval=signed_rank_interval(d, level / 2) if n <= 10 else None))

holm = []
for n in (1, 2, 5, 12):
    p = np.concatenate([rng.uniform(0, 0.2, n), [0.01, 0.01][: n % 3]])
    holm.append(dict(p=p.tolist(), corrected=multipletests(p, method="holm")[1].tolist()))

noncentral = [dict(t=t, df=df, shift=s, p=stats.nct.cdf(t, df, s)) for t in (0.5, 2.0, 6.3) for df in (1, 4, 29) for s in (0.3, 2.0, 9.0)]

# Folds of clips, of which some hold one class only.
pooled = []
for classes, folds in [(2, [(0, 1), (0,), (1,), (0, 1)]), (3, [(0, 1, 2), (0, 2), (0, 1, 2)])]:
    confusions, truth, named, f1, balanced = [], [], [], [], []
    for of in folds:
        y = rng.choice(of, 40, p=np.arange(len(of), 0, -1) / sum(range(len(of) + 1)))
        z = np.where(rng.uniform(size=40) < 0.7, y, rng.integers(classes, size=40))
        truth.append(y), named.append(z)
        confusions.append(metrics.confusion_matrix(y, z, labels=range(classes)).tolist())
        if len(set(y)) == classes:
            f1.append(metrics.f1_score(y, z, average="macro", labels=range(classes), zero_division=0))
            balanced.append(metrics.balanced_accuracy_score(y, z))
    y, z = np.concatenate(truth), np.concatenate(named)
    common = np.full(len(y), np.bincount(y).argmax())
    pooled.append(dict(
        confusions=confusions, accuracy=metrics.accuracy_score(y, z), macro_f1=metrics.f1_score(y, z, average="macro"),
        balanced=metrics.balanced_accuracy_score(y, z), majority=metrics.accuracy_score(y, common),
        majority_f1=metrics.f1_score(y, common, average="macro", zero_division=0), majority_balanced=metrics.balanced_accuracy_score(y, common),
        defined=len(f1), mean_macro_f1=float(np.mean(f1)), mean_balanced=float(np.mean(balanced))))

json.dump(dict(made_by="python corrected.py > corrected.json", scipy=scipy.__version__, statsmodels=statsmodels.__version__,
               sklearn=sklearn.__version__, power=POWER, cases=cases, holm=holm, noncentral=noncentral, pooled=pooled), sys.stdout, indent=1)
print()
