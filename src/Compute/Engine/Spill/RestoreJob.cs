using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Images;

namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// A table on its way from its page file into the arena, record by record between steps. Until it is done nobody else knows the
/// table, and dropping the job gives every unit back. Engine thread only.
/// </summary>
internal sealed class RestoreJob(PageTable table, WakeJob wake, TableImage image, PageFeed feed)
{
    private readonly int _count = TableRestores.Wanted(image.State, wake.Common);
    private int _next;
    private string? _problem;

    /// <summary>Whose request it is.</summary>
    public WakeJob Wake => wake;

    /// <summary>Why it is damaged.</summary>
    public string Problem => _problem ?? feed.Problem ?? "";

    /// <summary>The table, once it is whole; it is the caller's from then on.</summary>
    public PageTable Table => _next == _count ? table : throw new InvalidOperationException($"{_next} of {_count} records are restored.");

    /// <summary>Copies records while the slice has room.</summary>
    /// <param name="copiedBytes">Bytes copied in this step; those of this call are added.</param>
    /// <param name="sliceBytes">Most bytes of a step; one record may exceed it.</param>
    public RestoreOutcome Run(ref long copiedBytes, long sliceBytes)
    {
        while (_next < _count)
        {
            if (copiedBytes > 0 && copiedBytes + feed.NextBytes > sliceBytes)
            {
                return RestoreOutcome.Going;
            }
            if (!feed.TryTake(out byte[] record))
            {
                return feed.Problem is null ? RestoreOutcome.Going : Drop(RestoreOutcome.Damaged);
            }
            copiedBytes += record.Length;
            // It was read a second time, and what it claims decides where bytes are written.
            TableRestores restores = table.Owner.Interior.Restores;
            _problem = restores.Problem(image.State, _next, record) ?? restores.Problem(table, image.State, _next, record);
            if (_problem is not null)
            {
                return Drop(RestoreOutcome.Damaged);
            }
            if (!restores.TryAppend(table, image.State, _next, record))
            {
                return Drop(RestoreOutcome.NoRoom);
            }
            _next++;
        }
        table.Owner.Interior.Restores.Finish(table, image.State, wake.Common);
        feed.Close();
        return RestoreOutcome.Done;
    }

    /// <summary>Gives every unit back.</summary>
    public void Drop() => Drop(RestoreOutcome.NoRoom);

    private RestoreOutcome Drop(RestoreOutcome why)
    {
        feed.Close();
        table.Owner.Release(table);
        return why;
    }
}
