namespace Concertina.Runtime.Calls;

/// <summary>What a grain method returns.</summary>
internal enum ReturnShape
{
    /// <summary>Task.</summary>
    Task,

    /// <summary>Task with a result.</summary>
    TaskOfResult,

    /// <summary>ValueTask.</summary>
    ValueTask,

    /// <summary>ValueTask with a result.</summary>
    ValueTaskOfResult,

    /// <summary>IAsyncEnumerable.</summary>
    Stream,
}
