using System.CommandLine;

namespace Concertina.Cli.Serving;

/// <summary><c>concertina serve</c>: loads a model and serves it over the OpenAI API.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        Option<string?> model = new("--model") { Description = "GGUF file. Default: the demo model." };
        Option<string?> name = new("--name") { Description = "Name clients use. Default: the file's name up to the first '-' or '.'." };
        Option<string?> kvBudget = new("--kv-budget") { Description = "Memory for the KV cache, for example 4GiB. Default: half of what is left after the weights." };
        Option<string?> listen = new("--listen") { Description = "Address. Default: http://127.0.0.1:8080." };
        Option<int?> threads = new("--threads") { Description = "Threads that compute. Default: one per core." };
        Option<string?> config = new("--config") { Description = "JSON file with options (docs/configuration.md)." };
        Command command = new("serve", "Loads a model and serves it over the OpenAI API.") { model, name, kvBudget, listen, threads, config };
        command.SetAction((arguments, cancellation) => Server.Run(
            new ServeSettings
            {
                Model = arguments.GetValue(model),
                Name = arguments.GetValue(name),
                KvBudget = arguments.GetValue(kvBudget),
                Listen = arguments.GetValue(listen),
                Threads = arguments.GetValue(threads),
                Config = arguments.GetValue(config),
            },
            cancellation));
        return command;
    }
}
