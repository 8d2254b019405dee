//! How a pipeline is compiled, which takes a driver milliseconds to seconds.
//!
//! wgpu only knows the method that has a browser compile on the thread of its GPU process, one pipeline after the
//! other, with what pages want drawn behind them (gpuweb/gpuweb#1641). The standard's asynchronous twin compiles beside
//! that thread, and several at a time. What wgpu asks of its device is therefore turned into that.

#[cfg(target_arch = "wasm32")]
pub(super) use browser::compile;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use native::compile;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::future::{Future, ready};

    /// The pipeline that `make` makes; what was wrong is known to the error scopes.
    pub fn compile(
        _: &wgpu::Device,
        make: impl Fn() -> wgpu::ComputePipeline,
    ) -> impl Future<Output = Result<wgpu::ComputePipeline, String>> {
        ready(Ok(make()))
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use std::future::Future;

    use js_sys::futures::JsFuture;
    use js_sys::{Error, Object, Promise, Reflect};
    use wasm_bindgen::prelude::{ScopedClosure, wasm_bindgen};
    use wasm_bindgen::{JsCast, JsValue};

    /// The method that wgpu calls, and its twin.
    const PLAIN: &str = "createComputePipeline";
    const ASYNC: &str = "createComputePipelineAsync";

    #[wasm_bindgen]
    extern "C" {
        type GpuDevice;
        #[wasm_bindgen(method, js_name = "createComputePipelineAsync")]
        fn compile(this: &GpuDevice, descriptor: &JsValue) -> Promise;
    }

    /// Asks for the pipeline that `make` makes, at once, and waits for it; or what the browser says against it.
    ///
    /// `make` is called again around what the browser has compiled by then: the first time there is nothing to hold.
    pub fn compile(
        device: &wgpu::Device,
        make: impl Fn() -> wgpu::ComputePipeline,
    ) -> impl Future<Output = Result<wgpu::ComputePipeline, String>> {
        let device = handle(device);
        let mut promise: Option<JsFuture> = None;
        let made = match &device {
            Some(device) => {
                let ask = |descriptor| {
                    promise = Some(device.compile(&descriptor).into());
                    JsValue::UNDEFINED
                };
                with_plain(device, ask, &make)
            }
            None => make(),
        };
        async move {
            let (Some(device), Some(promise)) = (device, promise) else { return Ok(made) };
            match promise.await {
                Ok(compiled) => Ok(with_plain(&device, |_| compiled.clone(), make)),
                Err(error) => Err(error.unchecked_into::<Error>().message().into()),
            }
        }
    }

    /// The browser's own device, if it can compile aside.
    fn handle(device: &wgpu::Device) -> Option<GpuDevice> {
        let device = device.as_webgpu().filter(|device| Reflect::has(device, &ASYNC.into()).unwrap_or(false));
        device.map(|device| JsValue::from(device.clone()).unchecked_into())
    }

    /// Calls `work`, for which the device makes pipelines as `plain` does.
    fn with_plain<T>(device: &GpuDevice, mut plain: impl FnMut(JsValue) -> JsValue, work: impl FnOnce() -> T) -> T {
        let method = ScopedClosure::<dyn FnMut(JsValue) -> JsValue>::borrow_mut(&mut plain);
        let replaced = Reflect::set(device, &PLAIN.into(), method.as_js_value());
        debug_assert_eq!(replaced, Ok(true));
        let done = work();
        // What is left is the method that the device inherits.
        let restored = Reflect::delete_property(device.unchecked_ref::<Object>(), &PLAIN.into());
        debug_assert_eq!(restored, Ok(true));
        done
    }
}
