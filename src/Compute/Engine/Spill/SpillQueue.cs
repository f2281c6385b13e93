using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Images;

namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// Sequences on their way to their page files, one after the other: their units are copied out in slices between steps and
/// then given back, while the page thread writes. Engine thread only.
/// </summary>
internal sealed class SpillQueue(PagedKvCache cache, PageDesk? desk, IdleSequences idle)
{
    /// <summary>Most bytes copied in one step: a few milliseconds of memory traffic.</summary>
    public const long SliceBytes = 16L << 20;

    private const int MostLooks = 16;

    private readonly LinkedList<SpillJob> _jobs = [];
    private long _copiedBytes;
    private long _dueSince = long.MaxValue;

    /// <summary>Sequences that may be spilled.</summary>
    public IdleSequences Idle => idle;

    /// <summary>Told of a request that waits for a sequence whose units were given back.</summary>
    public Action<Run>? ReleasedQueued { get; set; }

    /// <summary>True while units are being copied: bytes are on their way.</summary>
    public bool IsCopying => _jobs.Count > 0;

    /// <summary>True when units are being copied, or there is a sequence whose units could be.</summary>
    public bool CanGoOn => IsCopying || Next() is not null;

    /// <summary>Whether a sequence has a page file of its own.</summary>
    public bool CanKeep(Sequence sequence) => desk is { Store.Enabled: true } && desk.OwnerOf(sequence) is not null;

    /// <summary>The sequence that has been idle longest of those that can be kept and that no request waits for, or null.</summary>
    public Sequence? Next()
    {
        int looks = 0;
        Sequence? next = null;
        for (LinkedListNode<Sequence>? place = idle.ByAge.First; desk is not null && next is null && place is not null && looks++ < MostLooks; place = place.Next)
        {
            next = place.Value.CurrentRun is null && CanKeep(place.Value) ? place.Value : null;
        }
        Volatile.Write(ref _dueSince, next?.IdleSince ?? long.MaxValue);
        return next;
    }

    /// <summary>Since when the sequence is idle that is spilled next, as of the last step; null: there is none. Any thread.</summary>
    public long? DueSince => Volatile.Read(ref _dueSince) is var since && since < long.MaxValue ? since : null;

    /// <summary>Takes a sequence that was taken out of the idle ones.</summary>
    /// <returns>False when it cannot be kept: it has no file of its own, or there is no store.</returns>
    public bool TryBegin(Sequence sequence)
    {
        if (!CanKeep(sequence) || sequence.Table is not { TokenCount: > 0 } table)
        {
            return false;
        }
        byte[] first;
        lock (sequence.Gate) // an idle sequence's tokens may be cut by a late cancel
        {
            if (cache.Truncate(table, Math.Min(table.TokenCount, sequence.Tokens.Count)) == 0)
            {
                return false;
            }
            first = TableImage.FirstRecord(TableState.Of(table), sequence.Tokens.Span);
        }
        var job = new SpillJob(desk!, sequence, desk!.OwnerOf(sequence)!.Value);
        sequence.Spill = job;
        sequence.LastSpill = job;
        _jobs.AddLast(job);
        job.Begin(first, table.Bytes);
        return true;
    }

    /// <summary>Another step: another slice may be copied.</summary>
    public void BeginStep() => _copiedBytes = 0;

    /// <summary>Copies units while the slice and the buffer have room.</summary>
    /// <param name="release">Gives a sequence's units back.</param>
    /// <param name="released">Whether a sequence's units were given back.</param>
    /// <returns>True when something was copied.</returns>
    public bool Run(Action<Sequence> release, out bool released)
    {
        released = false;
        long before = _copiedBytes;
        while (!released && _jobs.First?.Value is { } job)
        {
            if (!TryCopy(job))
            {
                break;
            }
            if (job.NextRecord == TableImages.RecordCount(job.Table))
            {
                _jobs.RemoveFirst();
                job.Sequence.Spill = null;
                job.End();
                release(job.Sequence);
                released = true;
                if (job.Sequence.CurrentRun is { State: RunState.Queued } waits)
                {
                    ReleasedQueued?.Invoke(waits);
                }
            }
        }
        return released || _copiedBytes > before;
    }

    /// <summary>The sequence is needed again: its units stay, its file is not made.</summary>
    /// <returns>False when it was not being copied.</returns>
    public bool Cancel(Sequence sequence)
    {
        if (sequence.Spill is not { } job)
        {
            return false;
        }
        _jobs.Remove(job);
        sequence.Spill = null;
        job.Cancel();
        job.End();
        return true;
    }

    // False when the slice or the buffer is used up.
    private bool TryCopy(SpillJob job)
    {
        TableImages images = cache.Interior.Images;
        int count = TableImages.RecordCount(job.Table);
        while (job.NextRecord < count)
        {
            int bytes = images.RecordBytes(job.Table, job.NextRecord);
            if ((_copiedBytes > 0 && _copiedBytes + bytes > SliceBytes) || !desk!.Outgoing.TryTake(bytes))
            {
                return false;
            }
            byte[] record = new byte[bytes];
            images.Write(job.Table, job.NextRecord++, record);
            _copiedBytes += bytes;
            job.Add(record);
        }
        return true;
    }
}
