using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>What spilling and waking share: the store, its thread, the buffers, the rates and the figures. Thread-safe.</summary>
/// <param name="pages">Where page files are.</param>
/// <param name="bufferBytes">Most bytes of copies in each direction (<see cref="SpillReserve"/>).</param>
/// <param name="wake">Makes the engine look again.</param>
/// <param name="manual">True: the caller runs the page thread's work.</param>
internal sealed class PageDesk(SessionPages pages, long bufferBytes, Action wake, bool manual)
{
    public PageFileStore Store => pages.Store;

    public PageWorker Worker { get; } = new(manual);

    /// <summary>Copies on their way out.</summary>
    public ByteBuffer Outgoing { get; } = new(bufferBytes);

    /// <summary>Copies on their way in. Apart from the others, so that neither waits for the other.</summary>
    public ByteBuffer Incoming { get; } = new(bufferBytes);

    /// <summary>Bytes of copies in both directions now.</summary>
    public long BufferedBytes => Outgoing.UsedBytes + Incoming.UsedBytes;

    /// <summary>Bytes of the KV budget that are kept for both.</summary>
    public long ReserveBytes => 2 * bufferBytes;

    public WakeChoice Choice { get; } = new();

    public SpillFigures Figures { get; } = new();

    /// <summary>Makes the engine look again.</summary>
    public void Wake() => wake();

    /// <summary>Whose file a sequence's is; null while it is not kept.</summary>
    public PageFileOwner? OwnerOf(Sequence sequence) => sequence.Epoch is { } epoch
        ? new PageFileOwner(new SessionIdentity(sequence.Identity.Key, sequence.Identity.TenantId, pages.ModelHash, epoch), pages.Formats)
        : null;

    /// <summary>A page file could not be written or used; it is counted and told.</summary>
    public void Fault(string key, SessionFileFault fault, string detail)
    {
        Figures.AddFault(fault);
        pages.OnFault?.Invoke(key, fault, detail);
    }
}
