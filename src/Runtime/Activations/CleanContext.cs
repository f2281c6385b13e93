namespace Concertina.Runtime.Activations;

/// <summary>The empty execution context: nothing ambient of a caller may reach a grain but what the call carries.</summary>
internal static class CleanContext
{
    private static readonly ExecutionContext Empty = Capture();

    internal static void Restore() => ExecutionContext.Restore(Empty);

    private static ExecutionContext Capture()
    {
        ExecutionContext? empty = null;
        Thread thread = new(() => empty = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return empty!;
    }
}
