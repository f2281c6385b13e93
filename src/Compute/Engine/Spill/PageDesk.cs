using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>What spilling and waking share: the store, its thread, the buffers, the rates and the figures. Thread-safe.</summary>
internal sealed class PageDesk(SessionPages pages, EngineOptions options, Action wake, bool manual)
{
    public PageFileStore Store => pages.Store;

    public PageWorker Worker { get; } = new(manual);

    /// <summary>Copies on their way out.</summary>
    public ByteBuffer Outgoing { get; } = new(options.SpillBufferBytes);

    /// <summary>Images that wait for their request to be admitted. Apart from the others, so that neither waits for the other.</summary>
    public ByteBuffer Incoming { get; } = new(options.SpillBufferBytes);

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
