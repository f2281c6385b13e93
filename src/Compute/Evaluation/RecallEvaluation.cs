using Concertina.Compute.KvCache;

namespace Concertina.Compute.Evaluation;

/// <summary>
/// Asks questions about documents on every rung: the document is computed once, losslessly; each rung gets a copy that is
/// squeezed, and each question a copy of that.
/// </summary>
public sealed class RecallEvaluation(EvaluationRig rig, IReadOnlyCollection<int> stopTokens, int mostTokens)
{
    /// <summary>Answers the questions about one document.</summary>
    /// <param name="document">The document.</param>
    /// <param name="cancellation">Cancels between steps.</param>
    /// <returns>[rung, lossless first][question]: the tokens of the answer, without the stop token.</returns>
    /// <exception cref="InvalidOperationException">The budget is too small.</exception>
    public IReadOnlyList<IReadOnlyList<int[]>> Answer(RecallDocument document, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(document);
        PageTable lossless = rig.NewObservedTable();
        try
        {
            rig.Prefill(lossless, document.Prefix);
            List<IReadOnlyList<int[]>> answers = [];
            for (int rung = 0; rung <= rig.Rungs.Count; rung++)
            {
                PageTable squeezed = rig.Fork(lossless, AtDocument(rung));
                try
                {
                    rig.Squeeze(squeezed);
                    answers.Add(Answer(squeezed, rung, document.Questions, cancellation));
                }
                finally
                {
                    rig.Cache.Release(squeezed);
                }
            }
            return answers;
        }
        finally
        {
            rig.Cache.Release(lossless);
        }
    }

    // Eviction that may see the question comes after it, as when a prompt brings both.
    private int AtDocument(int rung) => rig.Settings.EvictsAfterQuestions && rig.Cache.Rungs[rung].Evicts ? 0 : rung;

    private List<int[]> Answer(PageTable document, int rung, IReadOnlyList<int[]> questions, CancellationToken cancellation)
    {
        PageTable[] tables = [.. questions.Select(_ => rig.Fork(document, AtDocument(rung)))];
        List<int>[] answers = [.. questions.Select(_ => new List<int>())];
        try
        {
            int[] next = Begin(tables, questions);
            rig.MoveTo(tables, rung);
            bool[] ended = new bool[tables.Length];
            for (int step = 0; step < mostTokens; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!TryDecode(tables, answers, next, ended))
                {
                    break;
                }
            }
            return [.. answers.Select(answer => answer.ToArray())];
        }
        finally
        {
            rig.Clear();
            Array.ForEach(tables, rig.Cache.Release);
        }
    }

    // The first token of each answer; questions go into as few steps as they fit.
    private int[] Begin(PageTable[] tables, IReadOnlyList<int[]> questions)
    {
        int[] next = new int[tables.Length];
        int first = 0;
        rig.Clear();
        for (int i = 0; i <= tables.Length; i++)
        {
            if (i == tables.Length || rig.Batch.RowCount + questions[i].Length > rig.MaxRows)
            {
                rig.Run();
                for (int done = first; done < i; done++)
                {
                    next[done] = LogitDivergence.Argmax(rig.Batch.Logits(done - first));
                }
                rig.Clear();
                first = i;
            }
            if (i < tables.Length)
            {
                rig.Add(tables[i], questions[i], 1);
            }
        }
        return next;
    }

    // One token of each answer that goes on; false when none does.
    private bool TryDecode(PageTable[] tables, List<int>[] answers, int[] next, bool[] ended)
    {
        rig.Clear();
        List<int> running = [];
        for (int i = 0; i < tables.Length; i++)
        {
            ended[i] |= stopTokens.Contains(next[i]) || answers[i].Count == mostTokens;
            if (!ended[i])
            {
                answers[i].Add(next[i]);
                rig.Add(tables[i], [next[i]], 1);
                running.Add(i);
            }
        }
        if (running.Count == 0)
        {
            return false;
        }
        rig.Run();
        for (int at = 0; at < running.Count; at++)
        {
            next[running[at]] = LogitDivergence.Argmax(rig.Batch.Logits(at));
        }
        return true;
    }
}
