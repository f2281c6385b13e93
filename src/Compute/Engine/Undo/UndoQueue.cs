using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine.Undo;

/// <summary>
/// Sequences that are to get a better rung back, each once: those that run before idle ones, in the order they asked. Bounded
/// by the open sequences. Their shadows give way whenever somebody else needs memory. Engine thread only.
/// </summary>
internal sealed class UndoQueue(PagedKvCache cache, CommitmentTable commitments, CommitmentLedger ledger, double highWatermark)
{
    /// <summary>Jobs of one list that are looked at in one step.</summary>
    private const int MostLooks = 16;

    private readonly LinkedList<UndoJob> _running = [];
    private readonly LinkedList<UndoJob> _idle = [];
    private readonly List<UndoJob> _shadows = [];
    private readonly UndoMemory _memory = new(cache, commitments, ledger, highWatermark);

    /// <summary>Sequences that wait or are being computed anew.</summary>
    public int Count => _running.Count + _idle.Count;

    /// <summary>Jobs that have a shadow.</summary>
    public IReadOnlyList<UndoJob> Shadows => _shadows;

    /// <summary>Sequences that got a better rung since start.</summary>
    public long Completed { get; private set; }

    /// <summary>Shadows given up since start.</summary>
    public long Abandoned { get; private set; }

    /// <summary>Tokens that are still to be computed for all of them.</summary>
    public long BacklogTokens => Sum(_running) + Sum(_idle);

    /// <summary>Bytes of all shadows, units they share with others included.</summary>
    public long ShadowBytes
    {
        get
        {
            long bytes = 0;
            foreach (UndoJob job in _shadows)
            {
                bytes += job.Shadow!.Bytes;
            }
            return bytes;
        }
    }

    /// <summary>Bytes left beside all promises and finished shadows; not below 0 while there are shadows, as of <see cref="KeepWithin"/>.</summary>
    public long FreeBytes => _memory.FreeBytes(_shadows);

    /// <summary>A sequence was assigned a rung: if its units are on a deeper one, it is to be computed anew.</summary>
    public void Request(Sequence sequence)
    {
        if (sequence.Undo is null && sequence.Table is { } table && table.ReachedRung > sequence.WantedRung)
        {
            var job = new UndoJob(sequence, sequence.WantedRung);
            sequence.Undo = job;
            ListOf(job).AddLast(job.Place);
        }
        Review(sequence);
    }

    /// <summary>
    /// After an assignment, a start, an end or a cut: the job goes on, begins anew with another target, or is not needed any
    /// more. A shadow never keeps what the sequence has cut.
    /// </summary>
    public void Review(Sequence sequence)
    {
        if (sequence.Undo is not { } job)
        {
            return;
        }
        if (sequence.Table is not { } table || table.ReachedRung <= sequence.WantedRung)
        {
            Drop(sequence);
            return;
        }
        if (job.Target != sequence.WantedRung)
        {
            Abandon(job);
            job.Target = sequence.WantedRung;
        }
        if (job.Shadow is { } shadow && shadow.TokenCount > table.TokenCount)
        {
            cache.Truncate(shadow, table.TokenCount);
        }
        LinkedList<UndoJob> list = ListOf(job);
        if (job.Place.List != list)
        {
            job.Place.List!.Remove(job.Place);
            list.AddLast(job.Place);
        }
    }

    /// <summary>Gives a shadow up; its sequence waits for another turn.</summary>
    public void Abandon(UndoJob job)
    {
        if (job.Shadow is { } shadow)
        {
            _shadows.Remove(job);
            job.Shadow = null;
            cache.Release(shadow);
            Abandoned++;
        }
    }

    /// <summary>Forgets a sequence; no effect on one that is not queued.</summary>
    public void Drop(Sequence sequence)
    {
        if (sequence.Undo is { } job)
        {
            Abandon(job);
            job.Place.List!.Remove(job.Place);
            sequence.Undo = null;
        }
    }

    /// <summary>Gives up the shadow that matters least: an idle sequence's before a running one's, the youngest first.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryGiveWay()
    {
        if (_shadows.Count == 0)
        {
            return false;
        }
        int least = _shadows.FindLastIndex(static job => !job.Runs);
        Abandon(_shadows[least >= 0 ? least : ^1]);
        return true;
    }

    /// <summary>Gives up shadows for which promises made since leave no bytes.</summary>
    public void KeepWithin()
    {
        while (_shadows.Count > 0 && FreeBytes < 0)
        {
            TryGiveWay();
        }
    }

    /// <summary>The job to work on now, with a shadow, or null.</summary>
    /// <param name="runningToo">False: streams grow as fast as their caches could be computed, so only idle sequences.</param>
    public UndoJob? Next(bool runningToo) => (runningToo ? NextOf(_running) : null) ?? NextOf(_idle);

    /// <summary>The shadow holds all that the table holds: it takes its place.</summary>
    public void Swap(UndoJob job)
    {
        Sequence sequence = job.Sequence;
        PageTable old = sequence.Table!;
        PageTable better = job.Shadow!;
        better.TranscodedUnits += old.TranscodedUnits;
        better.GuardedUnits += old.GuardedUnits;
        better.KeepsQueries = old.KeepsQueries;
        better.CommittedRung = old.CommittedRung;
        if (sequence.CurrentRun is { State: RunState.Running } run)
        {
            run.DeepestRung = Math.Max(run.DeepestRung, old.ReachedRung);
            run.PublishedColumns = 0; // its columns are better than those it offered
        }
        _shadows.Remove(job);
        job.Place.List!.Remove(job.Place);
        sequence.Undo = null;
        sequence.Table = better;
        cache.Release(old);
        sequence.PublishTable();
        Completed++;
    }

    private UndoJob? NextOf(LinkedList<UndoJob> list)
    {
        foreach (UndoJob job in _shadows)
        {
            if (job.Place.List == list && IsReady(job))
            {
                return job;
            }
        }
        int looks = 0;
        for (LinkedListNode<UndoJob>? place = list.First; place is not null && looks++ < MostLooks; place = place.Next)
        {
            UndoJob job = place.Value;
            if (IsReady(job) && _memory.CanStart(job, _shadows))
            {
                Start(job);
                return job;
            }
        }
        return null;
    }

    // A prompt on its way grows faster than it could be computed twice.
    private static bool IsReady(UndoJob job) => !job.Runs || job.Sequence.CurrentRun!.Decodes;

    private void Start(UndoJob job)
    {
        Sequence sequence = job.Sequence;
        PageTable table = sequence.Table!;
        PageTable shadow = cache.CreateTable(table.Account);
        Squeezer.SetRung(shadow, job.Target);
        lock (sequence.Gate) // an idle sequence's tokens may be cut by a late cancel
        {
            int tokens = Math.Min(table.TokenCount, sequence.Tokens.Count);
            cache.Interior.Seed(shadow, table, sequence.Identity.Scope, sequence.Tokens.Span[..tokens], job.Target);
        }
        job.Shadow = shadow;
        _shadows.Add(job);
    }

    private LinkedList<UndoJob> ListOf(UndoJob job) => job.Runs ? _running : _idle;

    private static long Sum(LinkedList<UndoJob> list)
    {
        long tokens = 0;
        for (LinkedListNode<UndoJob>? place = list.First; place is not null; place = place.Next)
        {
            tokens += place.Value.TokensLeft;
        }
        return tokens;
    }
}
