using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Images;
using Concertina.Compute.Store;

namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// Wakes spilled sequences: a request waits in the queue until its page file was read, and until there is room for what is
/// restored; then the units come back into a fresh table, and what the file does not cover is prefilled. Engine thread only.
/// </summary>
internal sealed class WakeStage(PagedKvCache cache, PageDesk? desk, TimeProvider time, SlotReserve slots)
{
    private const int StepsUnasked = 2;
    private const int MostShortages = 3;

    private readonly LinkedList<WakeJob> _waiting = [];
    private RestoreJob? _restoring;
    private long _copiedBytes;
    private int _loading;
    private long _step;
    private long _restoredAt;

    /// <summary>Most bytes copied back in one step; one record may exceed it.</summary>
    public required long SliceBytes { get; init; }

    /// <summary>Whether something was copied back in this step.</summary>
    public bool HasCopied => _copiedBytes > 0;

    /// <summary>Bytes copied back in this step.</summary>
    public long CopiedBytes => _copiedBytes;

    /// <summary>Requests that wait for a page file or for room.</summary>
    public int Count { get; private set; }

    /// <summary>True when a request waits for bytes to restore into.</summary>
    public bool NeedsBytes { get; private set; }

    /// <summary>True: nothing more is begun, because a smaller budget is on its way.</summary>
    public bool IsHeld { get; set; }

    private long LiveBytes => cache.UsedBytes - cache.UnreferencedPrefixBytes;

    /// <summary>A request was submitted: looks for its sequence's page file.</summary>
    public void Begin(Run run)
    {
        Sequence sequence = run.Sequence;
        if (desk?.OwnerOf(sequence) is not { } owner || !desk.Store.Enabled || sequence.Table is { TokenCount: > 0 })
        {
            return;
        }
        ReadOnlySpan<int> prompt = run.Spec.Prompt.Span;
        // Without tokens of its own (a lost token file) the prompt alone says what the file covers.
        int common = sequence.Tokens.Count == 0 ? prompt.Length : sequence.Tokens.Span.CommonPrefixLength(prompt);
        run.Wake = new WakeJob(desk, cache.Interior.Restores, owner, time)
        {
            Common = Math.Min(common, prompt.Length - 1),
            Matched = cache.MatchLength(sequence.Identity.Scope, prompt, run.Bounds.DeepestRung),
        };
        Count++;
        _waiting.AddLast(run.Wake);
        Post();
    }

    /// <summary>Another step: those for which there was no buffer are tried again.</summary>
    public void BeginStep()
    {
        NeedsBytes = false;
        _copiedBytes = 0;
        _step++;
        // One that does not fit beside what was admitted since is not asked for any more; it and its buffer make way for the others.
        if (_restoring is not null && Count > 1 && _step - _restoredAt > StepsUnasked)
        {
            TryGiveWay();
        }
        Post();
    }

    /// <summary>
    /// Brings back what the page file of a request gave, a slice in each step, one request after the other. It is then admitted at
    /// once: its sequence holds units, or there is nothing to wait for.
    /// </summary>
    /// <returns>False while its file is read, or while others make room for its units.</returns>
    public bool TryWake(Run run)
    {
        if (run.Wake is not { } wake)
        {
            return true;
        }
        if (!wake.IsLoaded)
        {
            return false;
        }
        if (wake.Image is not { } image || run.Sequence.Table is not null || !IsOfSession(run, wake, image))
        {
            return true;
        }
        // What did not fit is tried again when something came free, and until then it is known that bytes are needed.
        if (LiveBytes < wake.ShortAtBytes)
        {
            wake.ShortAtBytes = long.MaxValue;
            RestoreOutcome outcome = Restore(run, wake, image);
            if (outcome != RestoreOutcome.NoRoom)
            {
                return outcome != RestoreOutcome.Going;
            }
            wake.ShortAtBytes = LiveBytes;
        }
        NeedsBytes = true;
        if (wake.Shortages >= MostShortages || (!slots.TryReclaim() && !slots.IsReclaiming && slots.Right == ReclaimRight.Drop))
        {
            wake.Drop(); // no room is to be had, or not for long enough: it is computed anew, in its promise
            desk!.Figures.AddRecomputed();
            return true;
        }
        return false;
    }

    /// <summary>Gives back what was restored of a request that is not admitted yet: others were promised the bytes.</summary>
    /// <returns>False when there is nothing of that kind.</returns>
    public bool TryGiveWay()
    {
        if (_restoring is not { } job)
        {
            return false;
        }
        _restoring = null;
        job.Drop();
        job.Wake.ShortAtBytes = LiveBytes;
        return true;
    }

    /// <summary>The request was admitted, or ended before.</summary>
    public void Forget(Run run)
    {
        if (run.Wake is { } wake)
        {
            if (_restoring?.Wake == wake)
            {
                TryGiveWay();
            }
            wake.Drop();
            run.Wake = null;
            Count--;
        }
    }

    // Looked at once: what it holds does not change while it waits.
    private bool IsOfSession(Run run, WakeJob wake, TableImage image)
    {
        TokenList tokens = run.Sequence.Tokens;
        ReadOnlySpan<int> prompt = run.Spec.Prompt.Span;
        if (wake.IsChecked || image.Covers(tokens.Span))
        {
            return wake.IsChecked = true;
        }
        if (tokens.Count > 0 || !image.Covers(prompt))
        {
            desk!.Fault(wake.Key, SessionFileFault.Superseded, $"its {image.State.TokenCount} tokens are not those of the session");
            wake.Drop();
            return false;
        }
        tokens.Replace(prompt[..image.State.TokenCount]);
        return wake.IsChecked = true;
    }

    private RestoreOutcome Restore(Run run, WakeJob wake, TableImage image)
    {
        if (_restoring is null)
        {
            if (IsHeld || !cache.Interior.Columns.CouldHold(wake.ArenaBytes))
            {
                return RestoreOutcome.NoRoom;
            }
            _restoring = new RestoreJob(cache.CreateTable(run.Sequence.Meter!.Account), wake, image, wake.Feed());
        }
        RestoreJob job = _restoring;
        if (job.Wake != wake)
        {
            return RestoreOutcome.Going;
        }
        _restoredAt = _step;
        RestoreOutcome outcome = job.Run(ref _copiedBytes, SliceBytes);
        _restoring = outcome == RestoreOutcome.Going ? job : null;
        if (outcome == RestoreOutcome.Done)
        {
            run.Sequence.Table = job.Table;
            desk!.Figures.AddRestored(job.Table.Bytes);
        }
        else if (outcome == RestoreOutcome.NoRoom)
        {
            wake.Shortages++;
        }
        else if (outcome == RestoreOutcome.Damaged)
        {
            desk!.Fault(wake.Key, SessionFileFault.Damaged, job.Problem);
            wake.Drop();
        }
        return outcome;
    }

    // One read after the other: the next is asked for when this one is done.
    private void Post()
    {
        while (_waiting.First?.Value is { } first && first.IsLoaded)
        {
            _waiting.RemoveFirst();
        }
        if (_waiting.First?.Value is { } next && Interlocked.CompareExchange(ref _loading, 1, 0) == 0 && !desk!.Worker.TryPost(Load(next)))
        {
            Volatile.Write(ref _loading, 0);
        }
    }

    private Action Load(WakeJob job) => () =>
    {
        bool loaded = true;
        try
        {
            loaded = job.TryLoad();
        }
        finally
        {
            Volatile.Write(ref _loading, 0);
            if (loaded)
            {
                desk!.Wake(); // else the step after another request was admitted tries again
            }
        }
    };
}
