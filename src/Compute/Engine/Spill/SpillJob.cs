using Concertina.Compute.KvCache;
using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>One sequence on its way to its page file. The engine's thread copies units out, the page thread writes them.</summary>
internal sealed class SpillJob
{
    private readonly PageDesk _desk;
    private readonly PageFileOwner _owner;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _cancelled;
    private PageFileWrite? _write;
    private bool _failed;

    /// <param name="desk">What spilling shares.</param>
    /// <param name="sequence">An idle sequence with units.</param>
    /// <param name="owner">Whose file it is.</param>
    public SpillJob(PageDesk desk, Sequence sequence, in PageFileOwner owner)
    {
        (_desk, _owner) = (desk, owner);
        Sequence = sequence;
        Table = sequence.Table!;
    }

    public Sequence Sequence { get; }

    /// <summary>Its units; they stay the sequence's until all are copied.</summary>
    public PageTable Table { get; }

    /// <summary>Next record to copy; engine thread.</summary>
    public int NextRecord { get; set; }

    /// <summary>Completes when the file is whole on disk, or will never be.</summary>
    public Task Done => _done.Task;

    /// <summary>The file is not wanted any more; it gets no name from now on.</summary>
    public void Cancel() => _cancelled = true;

    /// <summary>Hands the first record to the page thread.</summary>
    /// <param name="record">Tokens' hash and state.</param>
    /// <param name="expectedBytes">About as many bytes as the file will have.</param>
    public void Begin(byte[] record, long expectedBytes) => Post(() =>
    {
        SessionFileFault fault = _desk.Store.TryBegin(_owner, expectedBytes, out _write);
        if (_write is null)
        {
            Fail(fault, $"{expectedBytes} bytes");
            return;
        }
        _write.Add(record);
    });

    /// <summary>Hands a copy of a record to the page thread; its bytes were taken from the buffer.</summary>
    public void Add(byte[] record)
    {
        if (!_desk.Worker.TryPost(() =>
        {
            Try(() => _write!.Add(record));
            _desk.Outgoing.Return(record.Length);
            _desk.Wake();
        }))
        {
            _desk.Outgoing.Return(record.Length);
        }
    }

    /// <summary>Everything was handed over, or it was cancelled.</summary>
    public void End()
    {
        if (!_desk.Worker.TryPost(Finish))
        {
            _done.TrySetResult();
        }
    }

    private void Finish()
    {
        Try(() =>
        {
            SessionFileFault fault = _write!.Commit(() => !_cancelled);
            if (fault == SessionFileFault.None)
            {
                _desk.Figures.AddSpilled(_write.WrittenBytes);
            }
            else if (fault != SessionFileFault.Superseded)
            {
                Fail(fault, "a newer owner has written it");
            }
        });
        Discard();
        _done.TrySetResult();
        _desk.Wake();
    }

    private void Post(Action work) => _desk.Worker.TryPost(() => Try(work));

    // The border of the page thread: what the disk refuses, or a bug, costs this session's file and nothing else, and is told.
    private void Try(Action work)
    {
        if (_failed || _cancelled)
        {
            return;
        }
        try
        {
            work();
        }
        catch (Exception problem)
        {
            Fail(SessionFileFault.Io, $"{problem.GetType().Name}: {problem.Message}");
        }
    }

    private void Fail(SessionFileFault fault, string detail)
    {
        _failed = true;
        Discard();
        _desk.Fault(_owner.Session.Key, fault, detail);
    }

    private void Discard()
    {
        try
        {
            _write?.Dispose();
        }
        catch (Exception problem)
        {
            _desk.Fault(_owner.Session.Key, SessionFileFault.Io, problem.Message); // what is left of it is removed at the next start
        }
        _write = null;
    }
}
